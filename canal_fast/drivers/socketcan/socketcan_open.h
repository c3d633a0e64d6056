/* socketcan_open.h - from an interface's name to a bound socket, or to the reason why not. */
#ifndef SOCKETCAN_OPEN_H
#define SOCKETCAN_OPEN_H

#include <errno.h>
#include <linux/can/error.h>
#include <linux/ethtool.h>
#include <linux/net_tstamp.h>
#include <linux/sockios.h>
#include <net/if_arp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../../include/canal_fast/canal.h"
#include "socketcan_config.h"

/* What a failed system call means in CANAL's terms. */
static int sc_code(int number)
{
    static const struct {
        int number, code;
    } rows[] = {{EAGAIN, CF_CANAL_TRM_FULL},
                {ENOBUFS, CF_CANAL_TRM_FULL},
                {ENETDOWN, CF_CANAL_INTERFACE_DOWN},
                {ENODEV, CF_CANAL_INTERFACE_GONE},
                {ENXIO, CF_CANAL_INTERFACE_GONE},
                {EMSGSIZE, CF_CANAL_MTU},
                {EINVAL, CF_CANAL_MTU},
                {EPERM, CF_CANAL_DENIED},
                {EACCES, CF_CANAL_DENIED},
                {ENOMEM, CF_CANAL_MEMORY},
                {EAFNOSUPPORT, CF_CANAL_NO_SOCKETCAN},
                {EPROTONOSUPPORT, CF_CANAL_NO_SOCKETCAN}};
    size_t i;
    for (i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].number == number)
            return rows[i].code;
    return CF_CANAL_COMMUNICATION;
}

/* The sentence, and minus the code. */
#define SC_REFUSE(error, code, ...) (ct_fail(error, __VA_ARGS__), -(code))

/* The interface by its name. */
static struct ifreq sc_request(const char *name)
{
    struct ifreq request;
    memset(&request, 0, sizeof request);
    memcpy(request.ifr_name, name, strlen(name));
    return request;
}

/* Is interface `index`, whatever its name now, up? */
static int sc_is_up(int socket, int index)
{
    struct ifreq request;
    memset(&request, 0, sizeof request);
    request.ifr_ifindex = index;
    return ioctl(socket, SIOCGIFNAME, &request) == 0 && ioctl(socket, SIOCGIFFLAGS, &request) == 0 &&
           (request.ifr_flags & IFF_UP) != 0;
}

static int sc_has_hardware_stamps(int socket, const char *name)
{
    struct ifreq request = sc_request(name);
    struct ethtool_ts_info info;
    const uint32_t wanted = SOF_TIMESTAMPING_RX_HARDWARE | SOF_TIMESTAMPING_RAW_HARDWARE;
    memset(&info, 0, sizeof info);
    info.cmd = ETHTOOL_GET_TS_INFO;
    request.ifr_data = (char *)&info;
    return ioctl(socket, SIOCETHTOOL, &request) == 0 && (info.so_timestamping & wanted) == wanted;
}

/* Is the interface one without a bus, which hands error frames on as they are? Drivers of hardware make of them what
 * their registers hold, at worst a data frame. */
static int sc_is_virtual(int socket, const char *name)
{
    struct ifreq request = sc_request(name);
    struct ethtool_drvinfo info;
    memset(&info, 0, sizeof info);
    info.cmd = ETHTOOL_GDRVINFO;
    request.ifr_data = (char *)&info;
    return ioctl(socket, SIOCETHTOOL, &request) == 0 &&
           (strcmp(info.driver, "vcan") == 0 || strcmp(info.driver, "vxcan") == 0);
}

/* 0, or minus a code: is there such an interface, is it CAN, up, and what the handle wants? */
static int sc_examine(int socket, const sc_config *config, int fd, int *index, ct_error *error)
{
    const char *name = config->name;
    struct ifreq request = sc_request(name);
    if (ioctl(socket, SIOCGIFINDEX, &request) < 0)
        return SC_REFUSE(error, CF_CANAL_CONVERT_NAME_TO_INDEX, "there is no network interface %s", name);
    *index = request.ifr_ifindex;
    if (ioctl(socket, SIOCGIFHWADDR, &request) < 0 || request.ifr_hwaddr.sa_family != ARPHRD_CAN)
        return SC_REFUSE(error, CF_CANAL_INTERFACE_KIND, "%s is a network interface, but not CAN", name);
    if (!sc_is_up(socket, *index))
        return SC_REFUSE(error, CF_CANAL_INTERFACE_DOWN, "%s is down; set its bit rate and raise it: ip link set %s up",
                         name, name);
    request = sc_request(name);
    if (fd && (ioctl(socket, SIOCGIFMTU, &request) < 0 || request.ifr_mtu < (int)CANFD_MTU))
        return SC_REFUSE(error, CF_CANAL_FD_SUPPORT, "%s is a classical interface (mtu %d, CAN FD needs %d)", name,
                         request.ifr_mtu, (int)CANFD_MTU);
    if (config->hardware && !sc_has_hardware_stamps(socket, name))
        return SC_REFUSE(error, CF_CANAL_NOT_SUPPORTED, "%s offers no hardware time stamps", name);
    return 0;
}

static int sc_option(int socket, int level, int option, int value)
{
    return setsockopt(socket, level, option, &value, sizeof value);
}

static int sc_set_options(int socket, const sc_config *config, int fd)
{
    const can_err_mask_t errors = config->errors ? CAN_ERR_MASK : 0;
    const int stamps = SOF_TIMESTAMPING_RX_HARDWARE | SOF_TIMESTAMPING_RAW_HARDWARE;
    if (sc_option(socket, SOL_SOCKET, SO_RCVBUFFORCE, (int)config->rcvbuf) < 0 &&
        sc_option(socket, SOL_SOCKET, SO_RCVBUF, (int)config->rcvbuf) < 0)
        return -1;
    if (config->filter_count != 0 && setsockopt(socket, SOL_CAN_RAW, CAN_RAW_FILTER, config->filters,
                                                config->filter_count * sizeof config->filters[0]) < 0)
        return -1;
    if (config->hardware ? sc_option(socket, SOL_SOCKET, SO_TIMESTAMPING, stamps) < 0
                         : sc_option(socket, SOL_SOCKET, SO_TIMESTAMPNS, 1) < 0)
        return -1;
    return sc_option(socket, SOL_SOCKET, SO_RXQ_OVFL, 1) < 0 ||
                   sc_option(socket, SOL_CAN_RAW, CAN_RAW_LOOPBACK, (int)config->loopback) < 0 ||
                   sc_option(socket, SOL_CAN_RAW, CAN_RAW_RECV_OWN_MSGS, (int)config->own) < 0 ||
                   sc_option(socket, SOL_CAN_RAW, CAN_RAW_FD_FRAMES, fd) < 0 ||
                   setsockopt(socket, SOL_CAN_RAW, CAN_RAW_ERR_FILTER, &errors, sizeof errors) < 0
               ? -1
               : 0;
}

/* A socket on the interface, its number in *index; or minus a code with the reason in words. */
static int sc_open_socket(const sc_config *config, int fd, int *index, ct_error *error)
{
    struct sockaddr_can address;
    const int made = socket(PF_CAN, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, CAN_RAW);
    int code;
    if (made < 0)
        return SC_REFUSE(error, sc_code(errno), "no CAN socket: %s%s", strerror(errno),
                         sc_code(errno) == CF_CANAL_NO_SOCKETCAN ? "; this kernel has no SocketCAN (modprobe can_raw)"
                                                                 : "");
    code = sc_examine(made, config, fd, index, error);
    if (code == 0 && sc_set_options(made, config, fd) < 0)
        code = SC_REFUSE(error, sc_code(errno), "%s: the kernel refuses a socket option: %s", config->name,
                         strerror(errno));
    memset(&address, 0, sizeof address);
    address.can_family = AF_CAN;
    address.can_ifindex = *index;
    if (code == 0 && bind(made, (struct sockaddr *)&address, sizeof address) < 0)
        code = SC_REFUSE(error, sc_code(errno), "%s: %s", config->name, strerror(errno));
    if (code == 0)
        return made;
    close(made);
    return code;
}

#endif
