package source

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

// Where the files that dkms-mkpkg.yaml names by their use are installed. On
// every distribution whose /lib is a link to /usr/lib, both formats have the
// same places; that is all since 2023.
const (
	modprobeDir  = "/usr/lib/modprobe.d"
	udevDir      = "/usr/lib/udev/rules.d"
	loadDir      = "/usr/lib/modules-load.d"
	firmwareDir  = "/usr/lib/firmware"
	dracutDir    = "/usr/lib/dracut/modules.d"
	dracutConf   = "/usr/lib/dracut/dracut.conf.d"
	initramfsDir = "/usr/share/initramfs-tools"
)

// forbidden are directories that no further file may lie in: they are those of
// the engine, of the kernel, or of no package.
var forbidden = []string{"/lib/modules", "/usr/lib/modules", "/var/lib/dkms", "/dev", "/proc", "/run", "/sys", "/tmp", "/var/run", "/var/tmp"}

// extras collects the further files.
type extras struct {
	problems
	root    *os.Root
	dir     string
	sources string // /usr/src/NAME-VER
	files   []pkgfmt.File
	only    map[string]pkgfmt.Format
	newest  time.Time
}

// extraFiles are the files that c names besides the tree.
func extraFiles(ctx context.Context, c *config, root *os.Root, dir string, p dkms.Package) (*extras, error) {
	x := &extras{root: root, dir: dir, sources: "/usr/src/" + p.Name + "-" + p.Version, only: map[string]pkgfmt.Format{}}
	for _, f := range c.files {
		x.place(f)
	}
	x.settings(modprobeDir, c.modprobe)
	x.settings(udevDir, c.udev)
	x.settings(loadDir, c.modulesLoad)
	for _, f := range c.firmware {
		x.firmware(f)
	}
	for _, name := range c.dracut {
		x.place(placed{source: name, path: dracutPlace(name)})
	}
	for _, name := range c.initramfs {
		x.place(placed{source: name, path: initramfsPlace(name), mode: "0755", format: string(pkgfmt.Deb)})
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	slices.SortFunc(x.files, func(a, b pkgfmt.File) int { return strings.Compare(a.Path, b.Path) })
	for i := range x.files {
		if i > 0 && x.files[i].Path == x.files[i-1].Path {
			x.add(x.files[i].Path, 0, "is brought by two files")
		}
	}
	return x, x.err(dkms.Usage, c.file, "names files that cannot be packaged", namedIn(c.file))
}

// namedIn is the hint for a file that a dkms-mkpkg.yaml names.
func namedIn(file string) string {
	return file + " names it; paths are relative to the source"
}

// initramfsStages are the directories of scripts, initramfs-tools(7).
var initramfsStages = []string{"init-top", "init-premount", "local-top", "local-block", "local-premount", "local-bottom",
	"nfs-top", "nfs-premount", "nfs-bottom", "panic", "init-bottom"}

// initramfsPlace is where a file of initramfs-tools goes: its scripts lie in
// scripts/STAGE, and what else there is are hooks.
func initramfsPlace(name string) string {
	parts := strings.Split(name, "/")
	if n := len(parts); n > 2 && parts[n-3] == "scripts" && slices.Contains(initramfsStages, parts[n-2]) {
		return initramfsDir + "/" + strings.Join(parts[n-3:], "/")
	}
	return initramfsDir + "/hooks/" + path.Base(name)
}

// dracutPlace is where a file of dracut goes: into its configuration, or as a
// module.
func dracutPlace(name string) string {
	if strings.HasSuffix(name, ".conf") {
		return dracutConf + "/" + path.Base(name)
	}
	return dracutDir + "/" + path.Base(name)
}

// settings takes up files of settings, which lie side by side in to.
func (x *extras) settings(to string, names []string) {
	for _, name := range names {
		x.place(placed{source: name, path: to + "/" + path.Base(name), mode: "0644"})
	}
}

// firmware takes up a file by its path below firmwareDir: what drivers ask for.
func (x *extras) firmware(f placed) {
	if f.path == "" {
		f.path = path.Base(f.source)
	}
	if !fs.ValidPath(f.path) {
		x.add(f.path, 0, "is no path below %s", firmwareDir)
		return
	}
	f.path, f.mode = firmwareDir+"/"+f.path, "0644"
	x.place(f)
}

// place takes up one file, or what is in a directory.
func (x *extras) place(f placed) {
	if len(x.files) > maxFiles || f.source == "" || f.path == "" {
		return // told of already
	}
	if problem := x.badPath(f); problem != "" {
		x.add(f.path, 0, "%s", problem)
		return
	}
	f.source = path.Clean(f.source)
	if !fs.ValidPath(f.source) {
		x.add(f.source, 0, "has to be a path inside the source, relative to it")
		return
	}
	info, err := x.root.Lstat(f.source)
	switch {
	case err != nil:
		x.add(f.source, 0, "cannot be read: %v", system.Cause(err))
	case badName(f.source) != "":
		x.add(printable(f.source), 0, "%s", badName(f.source))
	case info.IsDir():
		x.directory(f)
	case !info.Mode().IsRegular():
		x.add(f.source, 0, "is no regular file")
	case info.Size() > maxFile:
		x.add(f.source, 0, "has %d MiB, more than the %d that a file may have", info.Size()>>20, maxFile>>20)
	default:
		x.regular(f, info)
	}
}

func (x *extras) directory(f placed) {
	entries, err := fs.ReadDir(x.root.FS(), f.source)
	if err != nil {
		x.add(f.source, 0, "cannot be read: %v", system.Cause(err))
		return
	}
	for _, e := range entries {
		in := f
		in.source, in.path = f.source+"/"+e.Name(), path.Join(f.path, e.Name())
		x.place(in)
	}
}

func (x *extras) regular(f placed, info fs.FileInfo) {
	file := pkgfmt.File{Path: f.path, Kind: pkgfmt.Regular, Mode: 0o644, Source: filepath.Join(x.dir, f.source), Size: info.Size()}
	if info.Mode()&0o100 != 0 {
		file.Mode = 0o755
	}
	if mode, err := strconv.ParseUint(f.mode, 8, 9); err == nil {
		file.Mode = fs.FileMode(mode)
	}
	if f.config {
		file.Kind = pkgfmt.Config
	}
	if f.format != "" {
		x.only[f.path] = pkgfmt.Format(f.format)
	}
	if info.ModTime().After(x.newest) {
		x.newest = info.ModTime()
	}
	x.files = append(x.files, file)
}

// badPath says why a file cannot be installed there, or nothing.
func (x *extras) badPath(f placed) string {
	in := func(dir string) bool { return f.path == dir || strings.HasPrefix(f.path, dir+"/") }
	for _, dir := range append([]string{x.sources}, forbidden...) {
		if in(dir) {
			return fmt.Sprintf("is in %s, which is not for files of packages", dir)
		}
	}
	switch {
	case !path.IsAbs(f.path) || path.Clean(f.path) != f.path || f.path == "/":
		return "has to be an absolute path without . and .. and double slashes"
	case badName(f.path) != "":
		return badName(f.path)
	case f.config && !in("/etc"):
		return "is a file for the administrator to change, and those are in /etc"
	}
	return ""
}

// maxScript is how long a script may be, in bytes.
const maxScript = 256 << 10

// scriptTexts are the texts of the scripts that c names.
func scriptTexts(c *config, root *os.Root) (map[pkgfmt.Format]map[string]string, error) {
	var p problems
	out := map[pkgfmt.Format]map[string]string{}
	for _, f := range []pkgfmt.Format{pkgfmt.Deb, pkgfmt.RPM} {
		names := debScripts
		if f == pkgfmt.RPM {
			names = rpmScripts
		}
		for _, name := range names {
			file := c.scripts[f][name]
			if file == nil || *file == "" {
				continue
			}
			text, problem := scriptText(root, *file)
			if problem != "" {
				p.add(*file, 0, "%s", problem)
				continue
			}
			if out[f] == nil {
				out[f] = map[string]string{}
			}
			out[f][name] = text
		}
	}
	return out, p.err(dkms.Usage, c.file, "names scripts that cannot be used", namedIn(c.file))
}

func scriptText(root *os.Root, file string) (text, problem string) {
	if file = path.Clean(file); !fs.ValidPath(file) {
		return "", "has to be a path inside the source, relative to it"
	}
	raw, err := readSmall(root, file, maxScript)
	if err != nil {
		return "", fmt.Sprintf("cannot be read: %v", system.Cause(err))
	}
	text = string(raw)
	if strings.ContainsRune(text, 0) || !utf8.ValidString(text) {
		return "", "is no text in UTF-8"
	}
	first, _, _ := strings.Cut(text, "\n")
	if program, found := strings.CutPrefix(first, "#!"); found {
		if words := strings.Fields(program); len(words) == 0 || words[0] != "/bin/sh" {
			return "", fmt.Sprintf("is for %q, and scripts of packages are for /bin/sh", strings.TrimSpace(program))
		}
	}
	return text, ""
}
