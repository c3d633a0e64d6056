/* canal_host.c - a CANAL driver in a process of its own; canal_fast starts it. */
#include <canal_fast/live/host.h>

int main(int count, char **arguments)
{
    return cf_host_main(count, arguments);
}
