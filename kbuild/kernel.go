package kbuild

import "github.com/dkms-hook/dkms-hook/internal/dkms"

// Kernel is one kernel on disk.
type Kernel struct {
	dkms.KernelID

	// ModuleDir is INSTALLTREE/RELEASE, such as /lib/modules/6.1.0-56-amd64.
	ModuleDir string
	// Source is the header directory that modules build against:
	// INSTALLTREE/RELEASE/build, or --kernelsourcedir. It is the path as
	// given, unresolved, because dkms.conf files print and compare it.
	Source string
	// ConfigFile is --config, or Source/.config, or Source/include/config/auto.conf.
	ConfigFile string
	// Config is the kernel's configuration; nil when there is no readable file.
	Config Kconfig
	// Headers tells whether Source holds usable headers.
	Headers bool
	// Suffix is that of the kernel's own modules: .ko, .ko.gz, .ko.xz or .ko.zst.
	Suffix string
}

// Kconfig maps CONFIG_X to its value ("y", "m", a number, an unquoted
// string); symbols that are "not set" are absent.
type Kconfig map[string]string

// Set reports whether symbol is y or m.
func (c Kconfig) Set(symbol string) bool { return c[symbol] == "y" || c[symbol] == "m" }

// Clang reports whether the kernel was compiled by clang.
func (k Kernel) Clang() bool { return k.Config.Set("CONFIG_CC_IS_CLANG") }
