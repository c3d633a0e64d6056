/* about.h - what our drivers say of themselves alike. Included once, after EXPORT, ABOUT_NAME (the driver's name) and
 * ABOUT_CONFIG (what its configuration string is for, and its form) are defined.
 */
#ifndef DRIVERS_ABOUT_H
#define DRIVERS_ABOUT_H

EXPORT(unsigned long) CanalGetLevel(long handle)
{
    (void)handle;
    return 1;
}

/* Major, minor, sub in the bytes from the lowest: CANAL 1.1, this driver 1.0.0. */
EXPORT(unsigned long) CanalGetVersion(void)
{
    return 0x000101;
}

EXPORT(unsigned long) CanalGetDllVersion(void)
{
    return 0x000001;
}

EXPORT(const char *) CanalGetVendorString(void)
{
    return "canal_fast " ABOUT_NAME " driver 1.0.0";
}

EXPORT(const char *) CanalGetDriverInfo(void)
{
    return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
           "<config><description format=\"text\">" ABOUT_CONFIG "</description>"
           "<level>1</level><blocking>yes</blocking></config>";
}

#endif
