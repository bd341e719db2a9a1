// What a benchmark asks of processes, its own and others, and of lists of figures.
#pragma once
#include <sys/types.h>

#include <vector>

namespace weft::bench {

/// Of the process `pid` (0: this one), in bytes. 0 when there is no such process.
double resident_bytes(pid_t pid = 0);
/// That the process has used so far, with all its threads. 0 when there is no such process.
double cpu_seconds(pid_t pid = 0);
double median(std::vector<double> values);
/// `fraction` of the values are at or below it. 0 for none.
double percentile(std::vector<double> values, double fraction);

}  // namespace weft::bench
