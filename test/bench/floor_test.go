//go:build e2e

package bench

import "strings"

// A floor is a host on which the make commands of the recipes lie ready, each
// in a copy of its own of its source, for one kernel.
type floor struct {
	host
	scripts string // a file with a line for each
}

// prepareFloor does all that is not make: copies, patches, PRE_BUILD.
func (h host) prepareFloor(names []string) floor {
	h.TB.Helper()
	f := floor{h, "/floor/scripts"}
	var scripts strings.Builder
	for _, m := range h.recipes(names) {
		source, build := "/usr/src/"+m.Name+"-"+m.Version, "/var/lib/dkms/"+m.Name+"/"+m.Version+"/build"
		own := "/floor/" + m.Release + "/" + m.Name
		h.Must("mkdir", "-p", build, "/floor/"+m.Release)
		h.Must("cp", "-a", source, own)
		ready := "cd " + own
		for _, p := range m.Patches {
			ready += " && patch -s -p1 <patches/" + p
		}
		if m.PreBuild != "" {
			ready += " && ./" + m.PreBuild
		}
		h.Must("sh", "-ec", ready)
		h.Write(own+".sh", strings.Join([]string{
			"set -e",
			"mount --bind " + own + " " + build,
			"mount --bind " + own + " " + source,
			"cd " + build,
			"exec >" + own + ".log 2>&1",
			m.Make,
		}, "\n")+"\n")
		scripts.WriteString(own + ".sh\n")
	}
	h.Write(f.scripts, scripts.String())
	return f
}

// run runs the commands two at a time, or however many processors there are.
func (f floor) run(m *Meter, processors string) Cost {
	f.TB.Helper()
	c, _ := f.cost(m, "/usr/bin/xargs", "-a", f.scripts, "-n", "1", "-P", processors, "unshare", "--mount", "sh")
	return c
}
