/* canal_fast/system/devnodes.h - what Windows' device manager knows: interfaces, devices, the driver of one.
 *
 * Configuration manager calls only (cfgmgr32): no device is opened, no COM, no installer. Elsewhere all of them say
 * CF_NOT_SUPPORTED. Strings are UTF-16; a list is strings with a NUL each, and an empty one at its end.
 */
#ifndef CANAL_FAST_SYSTEM_DEVNODES_H
#define CANAL_FAST_SYSTEM_DEVNODES_H

#include "../base.h"

#include <stdlib.h>
#if defined(_WIN32)
#include "windows_api.h"

#include <cfgmgr32.h>
#endif

enum { CF_DEVNODE_TEXT = 256 }; /* UTF-16 units, NUL included */

typedef struct cf_devnode {
    uint32_t problem; /* the device manager's code, 0 = none, 28 = no driver is installed */
    uint16_t service[CF_DEVNODE_TEXT]; /* the driver that serves it; empty when none does */
    uint16_t description[CF_DEVNODE_TEXT];
    uint16_t location[CF_DEVNODE_TEXT];
} cf_devnode;

#if defined(_WIN32)

/* The list of present interfaces of a class (`guid` not NULL) or of present devices below `enumerator`, into `list`;
 * with list NULL only its length. */
CF_INLINE CONFIGRET cf_devnode_query(const GUID *guid, const uint16_t *enumerator, wchar_t *list, ULONG *length)
{
    GUID *of = (GUID *)(uintptr_t)guid; /* declared without const, not written */
    const ULONG flags = CM_GETIDLIST_FILTER_ENUMERATOR | CM_GETIDLIST_FILTER_PRESENT;
    const wchar_t *filter = (const wchar_t *)enumerator;
    if (guid != NULL && list == NULL)
        return CM_Get_Device_Interface_List_SizeW(length, of, NULL, CM_GET_DEVICE_INTERFACE_LIST_PRESENT);
    if (guid != NULL)
        return CM_Get_Device_Interface_ListW(of, NULL, list, *length, CM_GET_DEVICE_INTERFACE_LIST_PRESENT);
    if (list == NULL)
        return CM_Get_Device_ID_List_SizeW(length, filter, flags);
    return CM_Get_Device_ID_ListW(filter, list, *length, flags);
}

CF_INLINE void cf_devnode_text(DEVINST device, ULONG property, uint16_t *text)
{
    ULONG bytes = CF_DEVNODE_TEXT * sizeof *text;
    memset(text, 0, bytes);
    if (CM_Get_DevNode_Registry_PropertyW(device, property, NULL, text, &bytes, 0) != CR_SUCCESS)
        text[0] = 0;
    text[CF_DEVNODE_TEXT - 1] = 0;
}

#endif

/* One of: the paths of the present interfaces of a class (`guid`: 16 bytes as Windows keeps them), or, with guid NULL,
 * the instance identifiers of the present devices below `enumerator` ("USB\VID_0483&PID_1234"). *list is malloc'ed, of
 * *length units. CF_OK, CF_NO_MEMORY, CF_NOT_SUPPORTED, or CF_DRIVER_FAILED with *code, the system's. */
CF_INLINE cf_status cf_devnode_list(const uint8_t *guid, const uint16_t *enumerator, uint16_t **list, size_t *length,
                                    unsigned long *code)
{
    *list = NULL;
    *length = 0;
    *code = 0;
#if defined(_WIN32)
    {
        GUID class_guid;
        if (guid != NULL)
            memcpy(&class_guid, guid, sizeof class_guid);
        do { /* again when a device came between the two calls */
            ULONG units = 0;
            free(*list);
            *list = NULL;
            *code = cf_devnode_query(guid != NULL ? &class_guid : NULL, enumerator, NULL, &units);
            if (*code != CR_SUCCESS)
                break;
            *length = units;
            *list = (uint16_t *)calloc((size_t)units + 1, sizeof **list);
            if (*list == NULL)
                return CF_NO_MEMORY;
            if (units > 0)
                *code = cf_devnode_query(guid != NULL ? &class_guid : NULL, enumerator, (wchar_t *)*list, &units);
        } while (*code == CR_BUFFER_SMALL);
    }
    return *code == CR_SUCCESS ? CF_OK : CF_DRIVER_FAILED;
#else
    (void)guid;
    (void)enumerator;
    return CF_NOT_SUPPORTED;
#endif
}

/* What is known of the device with this instance identifier. As above. */
CF_INLINE cf_status cf_devnode_read(const uint16_t *identifier, cf_devnode *result, unsigned long *code)
{
    memset(result, 0, sizeof *result);
    *code = 0;
#if defined(_WIN32)
    {
        wchar_t id[MAX_DEVICE_ID_LEN];
        DEVINST device;
        ULONG state = 0, problem = 0;
        size_t i = 0;
        for (; i + 1 < MAX_DEVICE_ID_LEN && identifier[i] != 0; i++) /* declared without const */
            id[i] = (wchar_t)identifier[i];
        id[i] = 0;
        *code = CM_Locate_DevNodeW(&device, id, CM_LOCATE_DEVNODE_NORMAL);
        if (*code != CR_SUCCESS)
            return CF_DRIVER_FAILED;
        if (CM_Get_DevNode_Status(&state, &problem, device, 0) == CR_SUCCESS && (state & DN_HAS_PROBLEM))
            result->problem = problem;
        cf_devnode_text(device, CM_DRP_SERVICE, result->service);
        cf_devnode_text(device, CM_DRP_DEVICEDESC, result->description);
        cf_devnode_text(device, CM_DRP_LOCATION_INFORMATION, result->location);
    }
    return CF_OK;
#else
    (void)identifier;
    return CF_NOT_SUPPORTED;
#endif
}

#endif
