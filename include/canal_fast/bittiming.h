/* canal_fast/bittiming.h - bit timings: requests, solvers, controllers. */
#ifndef CANAL_FAST_BITTIMING_H
#define CANAL_FAST_BITTIMING_H

#include "bittiming/controllers.h"
#include "bittiming/solve.h"
#include "bittiming/solve_fd.h"
#include "bittiming/solve_linux.h"

#endif
