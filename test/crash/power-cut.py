"""Cuts the power of the ext4 or xfs file system mounted at argv[1]: neither cached pages nor the journal are written."""
import fcntl
import os
import struct
import sys

EXT4_IOC_SHUTDOWN = 0x8004587D  # _IOR('X', 125, __u32), and xfs's XFS_IOC_GOINGDOWN
NO_LOG_FLUSH = 2

fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), EXT4_IOC_SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
