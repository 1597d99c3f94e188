package pkgmgr

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// HeadersPackage returns the name of the distribution package that brings the
// headers of the kernel release, as the distribution's installer takes it, or
// "" when it cannot be told. The package database is asked who owns the
// kernel, because a name made from the release alone is wrong for kernels that
// did not come from the distribution.
func HeadersPackage(ctx context.Context, release string) string {
	if release == "" || strings.ContainsAny(release, `/*?[\`) || strings.HasPrefix(release, ".") {
		return ""
	}
	for _, ask := range []func(context.Context, string) string{dpkgHeaders, archHeaders, rpmHeaders} {
		if name := ask(ctx, release); name != "" {
			return name
		}
	}
	return ""
}

// kernelPaths are what only the packages of a kernel itself hold, best first,
// in both spellings of a merged /usr: databases compare text.
func kernelPaths(release string) []string {
	var paths []string
	for _, dir := range []string{"/lib/modules/", "/usr/lib/modules/"} {
		paths = append(paths, dir+release+"/vmlinuz", dir+release+"/kernel")
	}
	return slices.Concat([]string{"/boot/vmlinuz-" + release, "/boot/vmlinux-" + release}, paths)
}

// dpkgHeaders looks for packages of the kernel by their usual names, and only
// then for who owns its files: that makes dpkg-query read the lists of all
// packages, which takes twenty times as long.
func dpkgHeaders(ctx context.Context, release string) string {
	args := []string{"dpkg-query", "-W", "-f", "${db:Status-Status} ${Package}\n"}
	for _, k := range debKernels {
		for _, end := range debEnds {
			args = append(args, k[0]+release+end)
		}
	}
	out, _ := query(ctx, args...) // it fails when any one name is unknown
	for line := range strings.Lines(out) {
		status, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		if dpkgState(status) == Absent {
			continue
		}
		if headers, of := debHeadersOf(name); of == release {
			return headers
		}
	}
	out, _ = query(ctx, append([]string{"dpkg-query", "-S"}, kernelPaths(release)...)...)
	return debHeaders(out, release)
}

// debHeaders reads what dpkg-query -S prints: "PACKAGE[, PACKAGE]…: PATH" for
// each path that it finds, and "diversion by …" lines beside.
func debHeaders(found, release string) string {
	first := ""
	for line := range strings.Lines(found) {
		if strings.HasPrefix(line, "diversion by ") {
			continue
		}
		owners, _, ok := strings.Cut(line, ": /")
		if !ok {
			continue
		}
		for owner := range strings.SplitSeq(owners, ", ") {
			name, of := debHeadersOf(owner)
			if of == release {
				return name
			}
			if first == "" {
				first = name
			}
		}
	}
	return first
}

// debKernels are how packages with a kernel, or a part of it, begin, and how
// the one with its headers does; the longer beginnings first.
var debKernels = [][2]string{
	{"linux-image-unsigned-", "linux-headers-"}, // Ubuntu
	{"linux-image-", "linux-headers-"},
	{"linux-modules-extra-", "linux-headers-"}, // Ubuntu
	{"linux-modules-", "linux-headers-"},       // Ubuntu, Debian since 7.x
	{"linux-binary-", "linux-headers-"},        // Debian since 7.x
	{"proxmox-kernel-", "proxmox-headers-"},
	{"pve-kernel-", "pve-headers-"},
}

// debEnds may follow the release in those names.
var debEnds = []string{"", "-unsigned", "-signed"}

// debHeadersOf returns the headers' package for a kernel's package, and the
// rest of its name, mostly the release.
func debHeadersOf(owner string) (name, rest string) {
	owner, _, _ = strings.Cut(owner, ":")
	for _, k := range debKernels {
		if rest, ok := strings.CutPrefix(owner, k[0]); ok {
			for _, end := range debEnds {
				rest = strings.TrimSuffix(rest, end)
			}
			return k[1] + rest, rest
		}
	}
	if owner == "raspberrypi-kernel" {
		return "raspberrypi-kernel-headers", ""
	}
	return "", ""
}

// archHeaders reads what Arch's kernel packages write down for hooks like us:
// the name of their package. The headers are in NAME-headers.
func archHeaders(_ context.Context, release string) string {
	base, err := os.ReadFile(filepath.Join("/usr/lib/modules", release, "pkgbase"))
	name := strings.TrimSpace(string(base))
	if err != nil || name == "" || strings.ContainsAny(name, " \t\n/") {
		return ""
	}
	return name + "-headers"
}

// rpmHeaders asks rpm -qf, one path after the other, best first.
func rpmHeaders(ctx context.Context, release string) string {
	args := []string{"rpm", "-qf", "--qf", "%{NAME} %{VERSION}-%{RELEASE} %{VENDOR}\n"}
	out, _ := query(ctx, append(args, kernelPaths(release)...)...)
	for line := range strings.Lines(out) {
		fields := strings.Fields(line)
		if len(fields) < 2 { // complaints about paths are longer, but name no kernel
			continue
		}
		if name := rpmHeadersOf(fields[0], fields[1], strings.Join(fields[2:], " ")); name != "" {
			return name
		}
	}
	return ""
}

// rpmHeadersOf returns the headers' package for a kernel's package:
// kernel-core and kernel-modules of Fedora and its kin, each with a variant
// between (kernel-rt-core), kernel-FLAVOUR of SUSE, kernel of older ones.
func rpmHeadersOf(owner, version, vendor string) string {
	base := owner
	for _, end := range []string{"-core", "-modules-core", "-modules-extra", "-modules-internal", "-modules", "-base", "-extra"} {
		base = strings.TrimSuffix(base, end)
	}
	if base != "kernel" && !strings.HasPrefix(base, "kernel-") {
		return ""
	}
	if strings.Contains(strings.ToLower(vendor), "suse") {
		return base + "-devel=" + version // zypper(8)
	}
	return base + "-devel-" + version
}
