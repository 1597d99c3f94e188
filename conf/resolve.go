package conf

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/kbuild"
)

// Resolve says what has to be built for kernel k. The error is a *dkms.Error
// of Kind Excluded, with the rule in words, when directives exclude k.
func (c *Conf) Resolve(k kbuild.Kernel) (kbuild.Recipe, error) {
	ref := dkms.Ref{Package: c.Package(), KernelID: k.KernelID}
	recipe := kbuild.Recipe{
		Ref: ref, Patches: c.patches(k.Release),
		PreBuild: c.PreBuild, PostBuild: c.PostBuild,
		PostAdd: c.PostAdd, PreInstall: c.PreInstall, PostInstall: c.PostInstall, PostRemove: c.PostRemove,
		Depends: c.Depends, RebuildOnDepends: c.RebuildOnDepends,
		Autoinstall: c.Autoinstall, NoWeakModules: c.NoWeakModules,
		RemakeInitrd: c.RemakeInitrd, ModprobeOnInstall: c.ModprobeOnInstall,
	}
	global := c.excluded(0, k)
	for _, m := range c.Modules {
		why := global
		if why == "" && m.Index > 0 {
			why = c.excluded(m.Index, k)
		}
		if why != "" {
			recipe.Skipped = append(recipe.Skipped, kbuild.Skipped{Module: m, Why: why})
			continue
		}
		recipe.Modules = append(recipe.Modules, m)
	}
	if global == "" && len(c.Modules) > 0 && len(recipe.Modules) == 0 {
		global = recipe.Skipped[0].Why
	}
	if global != "" {
		return recipe, &dkms.Error{Kind: dkms.Excluded, Object: c.Package().String(),
			Problem: "not for " + k.KernelID.String() + ": " + global}
	}
	recipe.Make = c.makeCommand(k)
	recipe.SetsExtraSymbols = strings.Contains(recipe.Make, "KBUILD_EXTRA_SYMBOLS")
	return recipe, nil
}

// patches are the PATCH[i] whose PATCH_MATCH[i] is empty or matches.
func (c *Conf) patches(release string) (patches []string) {
	for _, i := range c.Values["PATCH"].Indexes() {
		patch := c.Values["PATCH"][i]
		if patch != "" && matches(c.Values["PATCH_MATCH"][i], release) {
			patches = append(patches, patch)
		}
	}
	return patches
}

// matches reports whether expr, if there is one, is found in s. Nothing is found
// by one that is no regular expression, as in bash; Load warns of it.
func matches(expr, s string) bool {
	if expr == "" {
		return true
	}
	re, err := compileERE(expr)
	return err == nil && re.MatchString(s)
}

// Expression compiles a regular expression as the directives have them: POSIX
// extended, with glibc's additions, to be searched for anywhere.
func Expression(expr string) (*regexp.Regexp, error) { return compileERE(expr) }

// excluded returns the rule that keeps module i from kernel k in words, or "".
// Index 0 is the rule for the whole package.
func (c *Conf) excluded(i int, k kbuild.Kernel) string {
	v := c.Values
	rule := func(name, value, why string) string {
		return fmt.Sprintf("%s=%q: %s", subscripted(name, i), value, why)
	}
	if expr := v["BUILD_EXCLUSIVE_KERNEL"][i]; !matches(expr, k.Release) {
		return rule("BUILD_EXCLUSIVE_KERNEL", expr, "does not match the release")
	}
	if expr := v["BUILD_EXCLUSIVE_ARCH"][i]; !matches(expr, k.Arch) {
		return rule("BUILD_EXCLUSIVE_ARCH", expr, "does not match the architecture")
	}
	if low := v["BUILD_EXCLUSIVE_KERNEL_MIN"][i]; low != "" && compareReleases(k.Release, low) < 0 {
		return rule("BUILD_EXCLUSIVE_KERNEL_MIN", low, "the release is older")
	}
	name, high := "BUILD_EXCLUSIVE_KERNEL_MAX", v["BUILD_EXCLUSIVE_KERNEL_MAX"][i]
	if high == "" && v["OBSOLETE_BY"][i] != "" {
		name, high = "OBSOLETE_BY", v["OBSOLETE_BY"][i]
	}
	if high != "" && compareReleases(k.Release, high) > 0 {
		return rule(name, high, "the release is newer")
	}
	for _, symbol := range strings.Fields(v["BUILD_EXCLUSIVE_CONFIG"][i]) {
		if why := configRule(symbol, k); why != "" {
			return rule("BUILD_EXCLUSIVE_CONFIG", v["BUILD_EXCLUSIVE_CONFIG"][i], why)
		}
	}
	return ""
}

// configRule judges CONFIG_X (wanted) or !CONFIG_X (unwanted). Without a
// readable configuration nothing can be judged, and nothing is excluded: the
// build says what is missing.
func configRule(symbol string, k kbuild.Kernel) string {
	if k.Config == nil {
		return ""
	}
	name, unwanted := strings.CutPrefix(symbol, "!")
	set := k.Config.Set(name)
	switch {
	case unwanted && set:
		return name + " is set in the kernel's configuration"
	case !unwanted && !set:
		return name + " is not set in the kernel's configuration"
	}
	return ""
}

// makeCommand chooses among MAKE[i] and completes the command.
func (c *Conf) makeCommand(k kbuild.Kernel) string {
	v := c.Values
	command := ""
	if v["MAKE_MATCH"][0] == "" {
		command = v["MAKE"][0]
	}
	for _, i := range v["MAKE"].Indexes() {
		if expr := v["MAKE_MATCH"][i]; expr != "" && v["MAKE"][i] != "" && matches(expr, k.Release) {
			command = v["MAKE"][i]
		}
	}
	if command == "" {
		p := c.Package()
		command = fmt.Sprintf("make -C %s M=%s", k.Source,
			filepath.Join(c.request.Trees.DKMS, p.Name, p.Version, "build"))
	}
	command = c.insertArguments(command, k.Release)
	if k.Clang() && !strings.Contains(command, "LLVM=") {
		command += " LLVM=1"
	}
	return command
}

var bareMake = regexp.MustCompile(`^make(\s|$)`)

// insertArguments puts -jN and KERNELRELEASE after a leading bare `make`. A
// quoted one ('make') is how a dkms.conf says that it wants neither.
func (c *Conf) insertArguments(command, release string) string {
	if !bareMake.MatchString(command) {
		return command
	}
	jobs := ""
	if !c.request.NoJobs {
		jobs = " -j"
		if c.request.Jobs > 0 {
			jobs += strconv.Itoa(c.request.Jobs)
		}
	}
	return "make" + jobs + " KERNELRELEASE=" + release + command[len("make"):]
}
