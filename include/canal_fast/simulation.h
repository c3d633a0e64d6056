/* canal_fast/simulation.h - a CAN bus, bit by bit: nodes, fault confinement, faults, events.
 *
 * Memory is the caller's: an array of nodes, for each a queue's rows and heap, an array of faults, the sink's arrays.
 *
 *   cf_node_init      a controller begins; again for another one in its place. cf_node_detach: it is not there
 *   cf_bus_queue_init     its requests; cf_bus_queue_add for each frame, cf_bus_queue_grow for more room
 *   cf_bus_init       the bus; then set sink, faults, whole_frames; cf_bus_connect after a change of these or of nodes
 *   cf_fault_parse    a line of text to a fault; cf_bus_watch after the array of faults has changed
 *   cf_bus_run        to a bit; bus.bit is the next one, cf_bus_ns its time, bus.starts.frames the frames begun
 *   cf_node_recover   a node that is off shall come back
 *   cf_edge_begin     from here on each node has its own clock and delays: then cf_edge_run (edge_run.h)
 *
 * The sink collects events (event.h) and what loggers write (record.h): frames received and, with CF_FLAG_TX, sent,
 * ERROR_FRAME and STATUS records, `channel` being the node's number. record.h makes such records of single events, too.
 * Requests may be added, faults put in and nodes changed between two calls of cf_bus_run, not during one.
 */
#ifndef CANAL_FAST_SIMULATION_H
#define CANAL_FAST_SIMULATION_H

#include "simulation/bus_run.h"
#include "simulation/edge_run.h"
#include "simulation/fault_text.h"

#endif
