package system

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// SafePath is the PATH that children get when the caller's is not wanted.
const SafePath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// LookPath finds program in the PATH of env (nil: ours). A name with a slash
// is returned as it is.
func LookPath(program string, env []string) (string, error) {
	if strings.Contains(program, "/") {
		return program, nil
	}
	for _, dir := range filepath.SplitList(pathOf(env)) {
		if dir == "" {
			continue
		}
		path := filepath.Join(dir, program)
		if Executable(path) {
			return path, nil
		}
	}
	return "", &exec.Error{Name: program, Err: exec.ErrNotFound}
}

// Executable reports whether path is a regular file (or a link to one) with an
// execute bit.
func Executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0
}

func pathOf(env []string) string {
	if env == nil {
		if p := os.Getenv("PATH"); p != "" {
			return p
		}
		return SafePath
	}
	for i := len(env) - 1; i >= 0; i-- {
		if p, ok := strings.CutPrefix(env[i], "PATH="); ok {
			return p
		}
	}
	return SafePath
}
