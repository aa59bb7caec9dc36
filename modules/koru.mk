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
# KORU=PATH     run this koru script [default: koru in the PATH]
# KDIR=DIR      use another kernel's build directory (KERNEL_DIR= does the same)
KORU ?= koru
TARGET ?= vm

# The shell gets these as variables, so that their values may contain any letters.
given = $(if $(filter environment command,$(firstword $(origin $1))),$(value $1),$($1))
export KORU_OF_MAKE = $(call given,KORU)
export KDIR_OF_MAKE = $(or $(call given,KDIR),$(call given,KERNEL_DIR))
KORU_COMMAND = "$$KORU_OF_MAKE"
KDIR_OPTION = $(if $(KDIR_OF_MAKE),--kdir "$$KDIR_OF_MAKE")

.PHONY: all clean load list unload log test

all:
	@$(KORU_COMMAND) build $(KDIR_OPTION)
clean:
	@$(KORU_COMMAND) clean
load:
	@$(KORU_COMMAND) reload $(KDIR_OPTION) --target $(TARGET)
list:
	@$(KORU_COMMAND) list --target $(TARGET)
unload:
	@$(KORU_COMMAND) unload --target $(TARGET)
log:
	@$(KORU_COMMAND) log --target $(TARGET)
test:
	@$(KORU_COMMAND) test
