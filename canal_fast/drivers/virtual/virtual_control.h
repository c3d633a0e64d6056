/* virtual_control.h - functions beside CANAL's by which tests have a virtual bus in hand.
 *
 * Included once, after EXPORT and last_error.
 */
#ifndef VIRTUAL_CONTROL_H
#define VIRTUAL_CONTROL_H

/* Lets `ns` pass on a bus with clock=step. CF_CANAL_CHANNEL: no such bus. */
EXPORT(int) CanalVirtualStep(const char *name, unsigned long long ns)
{
    int code = CF_CANAL_SUCCESS;
    vb_bus *bus;
    cf_mutex_lock(&vh_lock);
    bus = vh_find_bus(name);
    if (bus == NULL)
        code = CF_CANAL_CHANNEL;
    else if (!bus->config.step)
        code = CF_CANAL_NOT_SUPPORTED;
    else if (ns > (uint64_t)INT64_MAX - bus->step_ns)
        code = CF_CANAL_PARAMETER;
    if (code == CF_CANAL_SUCCESS) {
        bus->step_ns += ns;
        vb_settle(bus);
        cf_cond_broadcast(&bus->changed);
    }
    cf_mutex_unlock(&vh_lock);
    return code;
}

/* Sets the error counters of a bus simulated bit by bit: of all handles' nodes. A node that is off begins to count its
 * way back. */
static void set_node_errors(vb_bus *bus, unsigned tec, unsigned rec)
{
    vb_handle *h;
    for (h = bus->handles; h != NULL; h = h->next) {
        cf_node *node = &bus->bitwise->nodes[h->node];
        if (cf_node_is_off(node) && tec < CF_BUS_OFF_LIMIT) {
            cf_node_recover(node);
        } else if (!cf_node_is_off(node)) {
            node->counters = cf_counters_make(tec, rec);
            if (tec >= CF_BUS_OFF_LIMIT)
                cf_node_go_off(node, bus->bitwise->bus.bit);
        }
    }
}

/* Sets the error counters (tec 0..256, rec 0..255); from tec 256 on the bus is off and sends fail. */
EXPORT(int) CanalVirtualSetErrors(const char *name, unsigned tec, unsigned rec)
{
    int code = CF_CANAL_SUCCESS;
    vb_bus *bus;
    if (tec > 256 || rec > 255)
        return CF_CANAL_PARAMETER;
    cf_mutex_lock(&vh_lock);
    bus = vh_find_bus(name);
    if (bus == NULL) {
        code = CF_CANAL_CHANNEL;
    } else if (bus->bitwise != NULL) {
        vb_settle(bus);
        set_node_errors(bus, tec, rec);
        cf_cond_broadcast(&bus->changed);
    } else {
        const vb_state *before, *after;
        vb_settle(bus);
        before = vb_error_state(bus->tec, bus->rec);
        after = vb_error_state(tec, rec);
        bus->tec = tec;
        bus->rec = rec;
        if (before != after) {
            bus->bus_warnings += after->code == 2;
            bus->bus_off += after->code == 4;
            vb_push_status(bus, vb_stamp(bus, vb_ticks(bus, vb_now_ns(bus))));
        }
        cf_cond_broadcast(&bus->changed);
    }
    cf_mutex_unlock(&vh_lock);
    return code;
}

/* The bus of that name that is simulated bit by bit, settled; NULL with *code when there is none. */
static vb_bus *bitwise_bus(const char *name, int *code)
{
    vb_bus *bus = vh_find_bus(name);
    *code = bus == NULL ? CF_CANAL_CHANNEL : bus->bitwise == NULL ? CF_CANAL_NOT_SUPPORTED : CF_CANAL_SUCCESS;
    if (*code != CF_CANAL_SUCCESS)
        return NULL;
    vb_settle(bus);
    return bus;
}

/* Adds a fault, a line as fault_text.h has it, to a bus simulated bit by bit. CF_CANAL_CHANNEL: no such bus;
 * CF_CANAL_NOT_SUPPORTED: it goes frame by frame; CF_CANAL_PARAMETER: CanalVirtualLastError says what is wrong. */
EXPORT(int) CanalVirtualInject(const char *name, const char *line)
{
    int code = CF_CANAL_PARAMETER;
    vb_bus *bus;
    last_error.text[0] = 0;
    if (line == NULL)
        return code;
    cf_mutex_lock(&vh_lock);
    bus = bitwise_bus(name, &code);
    if (bus != NULL && !vn_fault(bus->bitwise, line, strlen(line), "", &last_error))
        code = CF_CANAL_PARAMETER;
    if (bus != NULL)
        cf_cond_broadcast(&bus->changed);
    cf_mutex_unlock(&vh_lock);
    return code;
}

/* Copies at most `count` events (event.h, 40 bytes each) that happened on a bus simulated bit by bit and were not read
 * yet, the oldest first, to `events`: how many, or minus a CANAL code; CF_CANAL_OVERRUN once after some were lost. */
EXPORT(int) CanalVirtualEvents(const char *name, void *events, unsigned count)
{
    int code = CF_CANAL_PARAMETER;
    vb_bus *bus;
    if (events == NULL)
        return -code;
    cf_mutex_lock(&vh_lock);
    bus = bitwise_bus(name, &code);
    code = bus != NULL ? vn_read(bus->bitwise, (cf_bus_event *)events, count) : -code;
    cf_mutex_unlock(&vh_lock);
    return code;
}

#endif
