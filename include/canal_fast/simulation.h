/* canal_fast/simulation.h - a CAN bus, bit by bit: nodes, fault confinement, faults, events. */
#ifndef CANAL_FAST_SIMULATION_H
#define CANAL_FAST_SIMULATION_H

#include "simulation/bus_run.h"
#include "simulation/fault_text.h"

#endif
