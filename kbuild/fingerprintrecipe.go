package kbuild

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
)

// ingredients are what of a recipe, and around it, decides what comes out of a
// build and where it is installed. The scripts of other actions and what
// happens after an install are not among them.
type ingredients struct {
	Ref                 dkms.Ref
	Make                string
	Patches             []string
	PreBuild, PostBuild string
	Modules             []Module
	Depends             []string
	Overrides           []override
	Env                 []string
}

// override is a file below /etc/dkms/NAME that takes the place of the
// source's.
type override struct{ Name, Hash string }

// recipeDigest returns the digest of r with the overrides in etcDir/NAME and
// the variables of build_environment.
func recipeDigest(r Recipe, etcDir string, env []string) (string, error) {
	in := ingredients{
		Ref: r.Ref, Make: withoutJobs(r.Make), Patches: r.Patches, PreBuild: r.PreBuild, PostBuild: r.PostBuild,
		Depends: r.Depends, Env: slices.Sorted(slices.Values(unique(env))),
	}
	for _, m := range r.Modules {
		m.Index = 0 // a place in dkms.conf's arrays
		in.Modules = append(in.Modules, m)
	}
	if etcDir != "" {
		var err error
		if in.Overrides, err = overrides(r, filepath.Join(etcDir, r.Name)); err != nil {
			return "", err
		}
	}
	data, err := json.Marshal(in)
	if err != nil {
		return "", err
	}
	return hexDigest(data), nil
}

// overrides returns the files in etc, a /etc/dkms/NAME, that a build of r
// would take.
func overrides(r Recipe, etc string) (out []override, err error) {
	add := func(name, path string) {
		hash, herr := system.Hash(path)
		if herr != nil && err == nil {
			err = herr
		}
		out = append(out, override{name, hash})
	}
	for _, name := range r.Patches {
		if path := filepath.Join(etc, "patches", name); filepath.IsLocal(name) && isRegular(path) {
			add("patches/"+name, path)
		}
	}
	for _, line := range []string{r.PreBuild, r.PostBuild} {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		if path := (Script{EtcDir: etc}).override(words[0]); path != "" {
			add(words[0], path)
		}
	}
	return out, err
}

var jobsOption = lazily(`(^|\s)(-j *[0-9]*|--jobs[ =]*[0-9]*)(\s|$)`)

// withoutJobs takes -jN out of a make command: how many compilers run at a
// time is no matter of what they make.
func withoutJobs(command string) string {
	for jobsOption().MatchString(command) { // one match takes the space before the next
		command = jobsOption().ReplaceAllString(command, " ")
	}
	return command
}
