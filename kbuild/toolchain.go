package kbuild

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/system"
)

// toolchain is what compiles modules for one kernel.
type toolchain struct {
	CC    string // program for CC; empty leaves make's default
	LD    string // program for LD; empty leaves make's default
	Clang bool   // LLVM=1: clang, ld.lld and the llvm- tools
	// Missing are programs that the kernel was built with and that are not
	// here; Instead is what make will take for the compiler, if there is any.
	Missing []string
	Instead string
}

// toolchain chooses the compiler by the kernel's configuration:
// CONFIG_CC_VERSION_TEXT begins with the program's name, such as
// "gcc-12 (Debian 12.2.0-14) 12.2.0", except for clang, whose text does not
// name the program. HOSTCC is left alone: it compiles for this machine.
func (k Kernel) toolchain(path string) toolchain {
	found := func(program string) bool {
		_, err := system.LookPath(program, []string{"PATH=" + path})
		return err == nil
	}
	if k.Clang() {
		t := toolchain{CC: "clang", LD: "ld.lld", Clang: true}
		for _, program := range []string{t.CC, t.LD} {
			if !found(program) {
				t.Missing = append(t.Missing, program)
			}
		}
		return t
	}
	text := strings.Fields(k.Config.Value("CONFIG_CC_VERSION_TEXT"))
	if len(text) == 0 {
		return toolchain{}
	}
	cc := filepath.Base(text[0])
	if found(cc) {
		return toolchain{CC: cc}
	}
	t := toolchain{Missing: []string{cc}}
	for _, program := range []string{"gcc", "cc"} {
		if found(program) {
			t.Instead = program
			break
		}
	}
	return t
}

func (t toolchain) environ() []string {
	var env []string
	if t.CC != "" {
		env = append(env, "CC="+t.CC)
	}
	if t.LD != "" {
		env = append(env, "LD="+t.LD)
	}
	if t.Clang {
		env = append(env, "LLVM=1")
	}
	return env
}

// warning says what is missing, or nothing.
func (t toolchain) warning() string {
	if len(t.Missing) == 0 {
		return ""
	}
	text := fmt.Sprintf("the kernel was built by %s, which is not installed", strings.Join(t.Missing, " and "))
	if t.Instead != "" {
		text += "; " + t.Instead + " is used"
	}
	return text
}

// hint names what to install. The packages are called like the programs on
// the distributions that have more than one version of a compiler.
func (t toolchain) hint() string {
	if len(t.Missing) == 0 {
		return ""
	}
	packages := make([]string, 0, len(t.Missing)+1)
	for _, program := range t.Missing {
		if program == "ld.lld" {
			program = "lld"
		}
		packages = append(packages, program)
	}
	if t.Clang {
		packages = append(packages, "llvm")
	}
	return "install " + strings.Join(packages, ", ")
}
