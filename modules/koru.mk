# The usual targets of a kernel-module lab; each is one koru command.
#
#   make            build the module       make list     list the loaded modules
#   make load       build and (re)load it  make log      show the kernel log
#   make unload     unload it              make clean    remove what was built
#   make test       run its tests
#
# TARGET=vm     use the virtual machine that stays up (`koru vm stop` stops it)
# TARGET=host   use this machine's own kernel; asks first
# TARGET=ssh:USER@HOST  use another machine's kernel; asks first
# KDIR=DIR      use another kernel's build directory (KERNEL_DIR= does the same)
KORU ?= koru
TARGET ?= vm
KDIR ?= $(KERNEL_DIR)

KDIR_OPTION = $(if $(KDIR),--kdir "$(KDIR)")

.PHONY: all clean load list unload log test

all:
	@$(KORU) build $(KDIR_OPTION)
clean:
	@$(KORU) clean
load:
	@$(KORU) reload $(KDIR_OPTION) --target $(TARGET)
list:
	@$(KORU) list --target $(TARGET)
unload:
	@$(KORU) unload --target $(TARGET)
log:
	@$(KORU) log --target $(TARGET)
test:
	@$(KORU) test
