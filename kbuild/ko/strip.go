package ko

import (
	"context"
	"errors"
	"os/exec"
	"path/filepath"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
)

// StripDebug removes the debug information of the uncompressed module at path,
// in place, by strip -g, or by llvm-strip -g for a kernel that clang compiled.
// It breaks a signature, so it comes before signing. env is the complete
// environment of the program; nil is ours. A missing program is an error that
// names the distribution's package.
func StripDebug(ctx context.Context, path string, clang bool, env []string) error {
	program, from := "strip", "binutils"
	if clang {
		program, from = "llvm-strip", "llvm"
	}
	out := &tail{}
	err := system.Run(ctx, system.Command{Args: []string{program, "-g", path}, Env: env, Stdout: out, Stderr: out})
	if err == nil || ctx.Err() != nil {
		return err
	}
	problem := &dkms.Error{Kind: dkms.ModuleNotProduced, Object: filepath.Base(path), Problem: "debug information not removed", Err: out.explain(err)}
	if errors.Is(err, exec.ErrNotFound) {
		problem.Hint = "install " + from + ", or set STRIP[0]=\"no\" in dkms.conf"
	}
	return problem
}
