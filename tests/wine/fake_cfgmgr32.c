/* fake_cfgmgr32.c - the configuration manager calls that devnodes.h makes, with four adapters behind them; Wine's own
 * all say that they failed. The first answer is too short, as when an adapter is plugged in between two calls.
 */
#define CMAPI /* ours, not imported */
#include <windows.h>

#include <cfgmgr32.h>
#include <string.h>

#define GUID_TEXT L"{3ea03b52-c71a-433c-a626-e8ad96f2578b}"

static const wchar_t paths[] = L"\\\\?\\usb#vid_0483&pid_1234#ed000200#" GUID_TEXT L"\0"
                               L"\\\\?\\USB#VID_0483&PID_1234#D3365AFB#" GUID_TEXT L"\0";
static const wchar_t instances[] = L"USB\\VID_0483&PID_1234\\ED000200\0USB\\VID_0483&PID_1234\\D3365AFB\0"
                                   L"USB\\VID_0483&PID_1234\\CDE7E976\0USB\\VID_0483&PID_1234\\5&2F9A8C&0&2\0";
static const GUID wanted = {0x3EA03B52, 0xC71A, 0x433C, {0xA6, 0x26, 0xE8, 0xAD, 0x96, 0xF2, 0x57, 0x8B}};
static int calls;

#define EXPORT __declspec(dllexport) CONFIGRET WINAPI

static CONFIGRET give(const wchar_t *list, ULONG size, wchar_t *out, ULONG room)
{
    if (room < size / sizeof *list)
        return CR_BUFFER_SMALL;
    memcpy(out, list, size);
    return CR_SUCCESS;
}

EXPORT CM_Get_Device_Interface_List_SizeW(PULONG length, LPGUID guid, DEVINSTID_W device, ULONG flags)
{
    if (memcmp(guid, &wanted, sizeof wanted) != 0 || device != NULL || flags != 0)
        return CR_FAILURE;
    *length = sizeof paths / sizeof *paths - (calls++ == 0 ? 10 : 0);
    return CR_SUCCESS;
}

EXPORT CM_Get_Device_Interface_ListW(LPGUID guid, DEVINSTID_W device, PZZWSTR out, ULONG room, ULONG flags)
{
    (void)guid, (void)device, (void)flags;
    return give(paths, sizeof paths, out, room);
}

EXPORT CM_Get_Device_ID_List_SizeW(PULONG length, PCWSTR filter, ULONG flags)
{
    if (wcscmp(filter, L"USB\\VID_0483&PID_1234") != 0 || flags != 0x101)
        return CR_FAILURE;
    *length = sizeof instances / sizeof *instances;
    return CR_SUCCESS;
}

EXPORT CM_Get_Device_ID_ListW(PCWSTR filter, PZZWSTR out, ULONG room, ULONG flags)
{
    (void)filter, (void)flags;
    return give(instances, sizeof instances, out, room);
}

EXPORT CM_Locate_DevNodeW(PDEVINST device, DEVINSTID_W instance, ULONG flags)
{
    static const wchar_t *const serials[] = {L"ED000200", L"D3365AFB", L"CDE7E976", L"5&2F9A8C&0&2"};
    (void)flags;
    for (*device = 0; *device < 4; ++*device)
        if (wcscmp(wcsrchr(instance, L'\\') + 1, serials[*device]) == 0)
            return CR_SUCCESS;
    return CR_NO_SUCH_DEVNODE;
}

EXPORT CM_Get_DevNode_Status(PULONG state, PULONG problem, DEVINST device, ULONG flags)
{
    (void)flags;
    *state = device == 3 ? DN_HAS_PROBLEM : 0;
    *problem = device == 3 ? 28 : 0;
    return CR_SUCCESS;
}

EXPORT CM_Get_DevNode_Registry_PropertyW(DEVINST device, ULONG property, PULONG type, PVOID out, PULONG bytes,
                                         ULONG flags)
{
    const wchar_t *text = property == CM_DRP_SERVICE                ? device == 2 ? L"usbser" : L"WinUSB"
                          : property == CM_DRP_LOCATION_INFORMATION ? L"Port_#0002.Hub_#0001"
                                                                    : L"USB2CAN converter";
    const ULONG size = (ULONG)(wcslen(text) + 1) * sizeof *text;
    (void)type, (void)flags;
    if (device == 3 && property == CM_DRP_SERVICE)
        return CR_NO_SUCH_VALUE;
    if (*bytes < size)
        return CR_BUFFER_SMALL;
    memcpy(out, text, size);
    *bytes = size;
    return CR_SUCCESS;
}
