"""The python-can plugin. Nothing here is imported before python-can asks for it; see docs of `CanalBus`."""
