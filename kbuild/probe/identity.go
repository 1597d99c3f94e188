package probe

import (
	"bytes"
	"context"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/dkms-hook/dkms-hook/internal/system"
)

// guarded are variables by which programs of a toolchain find their parts, or
// do something else. Where one of them is set, nothing is remembered.
var guarded = []string{
	"COMPILER_PATH", "GCC_EXEC_PREFIX", "CPATH", "C_INCLUDE_PATH", "LIBRARY_PATH", "GCC_COMPARE_DEBUG", "DEPENDENCIES_OUTPUT",
	"SUNPRO_DEPENDENCIES", "COLLECT_GCC", "COLLECT_GCC_OPTIONS", "GNUTARGET", "LDEMULATION", "LD_RUN_PATH",
	"LD_LIBRARY_PATH", "LD_PRELOAD", "LD_AUDIT", "CCC_OVERRIDE_OPTIONS", "CLANG_CONFIG_PATH", "CCACHE_CONFIGPATH", "CCACHE_PREFIX", "CCACHE_COMPILER",
}

// identity is what tells some programs from others.
type identity struct {
	said   string   // by compilers, of what they would do
	files  []string // programs, what they run and the libraries that they load
	stats  string   // what stat(2) says of files
	newest int64    // the latest change time of files, in nanoseconds since 1970
}

// digest is another one when one of the programs, or a file that it loads or
// runs, is another.
func (i identity) digest() string {
	sum := sha256.Sum256([]byte(i.said + "\x00" + i.stats))
	return hex.EncodeToString(sum[:])
}

// look takes stats of the files.
func (i *identity) look() error {
	var text strings.Builder
	i.newest = 0
	for _, file := range i.files {
		var st syscall.Stat_t
		if err := syscall.Stat(file, &st); err != nil {
			return &os.PathError{Op: "stat", Path: file, Err: err}
		}
		fmt.Fprintf(&text, "%s %d %o %d %d\n", file, st.Size, st.Mode, st.Mtim.Nano(), st.Ctim.Nano())
		i.newest = max(i.newest, st.Ctim.Nano())
	}
	i.stats = text.String()
	return nil
}

// identities tells programs apart; which files there are to look at is found
// out once for each. Safe for concurrent use.
type identities struct {
	mu   sync.Mutex
	seen map[string]identity
}

// of returns the identity of the given programs, together, as a build with env
// finds them. private is a directory in env's PATH that is another one for each
// build, with the same programs. An error is that one of them is not there.
func (i *identities) of(ctx context.Context, programs, env []string, private string) (identity, error) {
	var all identity
	for _, program := range programs {
		one, err := i.one(ctx, program, env, private)
		if err != nil {
			return identity{}, err
		}
		all.said += program + "\x00" + one.said + "\x00"
		all.stats += program + "\x00" + one.stats + "\x00"
		all.newest = max(all.newest, one.newest)
	}
	return all, nil
}

func (i *identities) one(ctx context.Context, program string, env []string, private string) (identity, error) {
	path, err := system.LookPath(program, env)
	if err != nil {
		return identity{}, err
	}
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return identity{}, err
	}
	key := program + "\x00" + path + "\x00" + strings.ReplaceAll(searchPath(env), private+":", "")
	i.mu.Lock()
	defer i.mu.Unlock()
	if known, ok := i.seen[key]; ok {
		now := known
		if err := now.look(); err == nil && now.stats == known.stats {
			return known, nil
		}
	}
	found, err := examine(ctx, program, path, env)
	if err != nil {
		return identity{}, err
	}
	if i.seen == nil {
		i.seen = map[string]identity{}
	}
	i.seen[key] = found
	return found, nil
}

// examine finds out what there is to know of a program that lies at path.
func examine(ctx context.Context, program, path string, env []string) (found identity, err error) {
	parts := []string{path}
	if compilerName().MatchString(filepath.Base(program)) {
		var more []string
		if found.said, more, err = driver(ctx, program, env); err != nil {
			return identity{}, err
		}
		parts = append(parts, more...)
	}
	for _, part := range parts {
		loads, err := libraries(ctx, part)
		if err != nil {
			return identity{}, err
		}
		found.files = append(append(found.files, part), loads...)
	}
	return found, found.look()
}

func searchPath(env []string) string {
	for _, pair := range env {
		if path, ok := strings.CutPrefix(pair, "PATH="); ok {
			return path
		}
	}
	return ""
}

// silence is how long a compiler may think about what it would do.
const silence = 30 * time.Second

// driver returns what a compiler says that it would do with a file, and the
// programs that it would run. -pipe keeps random names of files out of it.
func driver(ctx context.Context, program string, env []string) (text string, parts []string, err error) {
	var out bytes.Buffer
	err = system.Run(ctx, system.Command{
		Args: []string{program, "-###", "-pipe", "-c", "-x", "c", "/dev/null", "-o", "/dev/null"},
		Dir:  "/", Env: append(env[:len(env):len(env)], "LC_ALL=C", "PWD=/"), Stdout: &out, Stderr: &out, Silence: silence,
	})
	if err != nil {
		return "", nil, err
	}
	text = out.String()
	path := ""
	for line := range strings.Lines(text) {
		if dirs, ok := strings.CutPrefix(strings.TrimSpace(line), "COMPILER_PATH="); ok {
			path = dirs + ":"
		}
		if specs, ok := strings.CutPrefix(strings.TrimSpace(line), "Reading specs from "); ok {
			parts = append(parts, specs)
		}
	}
	path += searchPath(env)
	for _, m := range startsProgram().FindAllStringSubmatch(text, -1) {
		part, err := system.LookPath(m[1], []string{"PATH=" + path})
		if err != nil {
			return "", nil, err
		}
		parts = append(parts, part)
	}
	if len(parts) == 0 {
		return "", nil, errors.New(program + ": does not say what it runs")
	}
	return text, parts, nil
}

// startsProgram is a line of `CC -###` that is a command.
var startsProgram = lazily(`(?m)^ "?([^\s"]+)"? `)

// libraries returns the files that the dynamic linker would load for a program.
func libraries(ctx context.Context, program string) ([]string, error) {
	if !dynamic(program) {
		return nil, nil
	}
	out, err := system.Output(ctx, system.Command{
		Args: []string{program}, Env: []string{"LD_TRACE_LOADED_OBJECTS=1"}, Silence: silence,
	})
	if err != nil {
		return nil, err
	}
	var files []string
	for word := range strings.FieldsSeq(string(out)) {
		if filepath.IsAbs(word) {
			files = append(files, word)
		}
	}
	return files, nil
}

// dynamic reports whether file is started by the dynamic linker.
func dynamic(file string) bool {
	f, err := elf.Open(file)
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return true
		}
	}
	return false
}
