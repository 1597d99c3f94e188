//go:build e2e

package apt

import (
	"fmt"
	"strings"
)

// A deb is a Debian package that a test makes.
type deb struct {
	name, version string
	depends       string
	files         map[string]string
	scripts       map[string]string // preinst, postinst, prerm, postrm: what comes after #!/bin/sh
}

// pack makes the package in the box and returns its path there.
func (m machine) pack(d deb) string {
	m.TB.Helper()
	dir := "/root/debs/" + d.name + "_" + d.version
	control := fmt.Sprintf("Package: %s\nVersion: %s\nArchitecture: all\nMaintainer: nobody <nobody@localhost>\nDescription: made for a test\n", d.name, d.version)
	if d.depends != "" {
		control += "Depends: " + d.depends + "\n"
	}
	m.RemoveAll(dir)
	m.Write(dir+"/DEBIAN/control", control)
	for path, content := range d.files {
		if strings.HasPrefix(content, "#!") {
			m.WriteProgram(dir+path, content)
			continue
		}
		m.Write(dir+path, content)
	}
	for name, script := range d.scripts {
		m.WriteProgram(dir+"/DEBIAN/"+name, "#!/bin/sh\nset -e\n"+script)
	}
	m.Must("dpkg-deb", "--build", "-Znone", dir, dir+".deb")
	return dir + ".deb"
}

// good and broken are the bodies of modules: the first compiles.
const (
	good   = ""
	broken = "this does not compile;\n"
)

// brokenAt is where the compiler finds the first error of a broken module.
const brokenAt = `%s\.c:2`

// dkmsDeb is a package with the source of one module as Debian's helper
// dh_dkms would make it: the same calls in the same cases of its scripts.
func dkmsDeb(name, version, body string, conf ...string) deb {
	src := "/usr/src/" + name + "-" + version
	return deb{
		name: name + "-dkms", version: version, depends: "dkms (>= 2.1.0.0)",
		files: map[string]string{
			src + "/dkms.conf": fmt.Sprintf("PACKAGE_NAME=%q\nPACKAGE_VERSION=%q\nBUILT_MODULE_NAME[0]=%q\nDEST_MODULE_LOCATION[0]=/updates\nAUTOINSTALL=yes\n%s\n",
				name, version, name, strings.Join(conf, "\n")),
			src + "/Makefile":       "obj-m := " + name + ".o\n",
			src + "/" + name + ".c": fmt.Sprintf("#include <linux/module.h>\n%sMODULE_LICENSE(\"GPL\");\nMODULE_VERSION(%q);\n", body, version),
		},
		scripts: map[string]string{
			// Without quotes around $2, as there: a first installation has no fifth argument.
			"postinst": fmt.Sprintf("case \"$1\" in configure)\n\t/usr/lib/dkms/common.postinst %s %s /usr/share/%s-dkms \"\" $2 ;;\nesac\n", name, version, name),
			"prerm": fmt.Sprintf("case \"$1\" in remove|upgrade|deconfigure)\n\tif [ \"$(dkms status -m %s -v %s)\" ]; then dkms remove -m %s -v %s --all; fi ;;\nesac\n",
				name, version, name, version),
		},
	}
}
