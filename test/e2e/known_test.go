//go:build e2e

package e2e

// Parts of the expressions below: files that a match or a load brings for the
// second kernel only.
const (
	cloudModules = `([-+] /lib/modules/\S+-cloud-amd64/(modules\.\S+|updates/\S*|kernel/\S+)( \w+)?\n?)+`
	cloudTree    = `(\+ /var/lib/dkms/\S+-cloud-amd64\S*( -> \S+)?\n?|\+ /var/lib/dkms/[^/\s]+/original_module/\S*\n?)+`
	cloudLine    = `\+ \S+, \S+-cloud-amd64, x86_64: (built|installed)( \(.*\))?`
)

// known are the differences between DKMS 3.2.2 and us that are meant. Any
// other difference is a bug of ours, or a new line here with its reason.
var known = []difference{
	{"match", exitStatus, `- 2\n\+ 0`, whyMatch},
	{"match|match again", exitStatus, `- [02]\n\+ 77`, whyMatch + "; the package is not for the other kernel"},
	{"match|match again", modules, cloudModules, whyMatch},
	{"match|match again", tree, cloudTree, whyMatch},
	{"match|match again", statusLines, cloudLine, whyMatch},

	{"ldtarball", tree, cloudTree, whySecond},
	{"ldtarball", statusLines, cloudLine, whySecond},

	{"ldtarball of binaries", exitStatus, `- 1\n\+ 0`, "COMPAT 2: a binaries-only ldtarball that loaded is 0"},
	{"ldtarball of binaries", statusLines, `\+ \S+, \S+, x86_64: built`, whyBinaries},
	{"ldtarball of binaries", tree, `- \S+/source/\n- \S+/source/dkms.conf\n\+ \S+/source -> /usr/src/\S+`, whyBinaries},

	{"build without dependency", tree, `- \S+/\n- \S+/\n- \S+/source -> \S+`, whyRefused},
	{"build without dependency", statusLines, `- \S+: added`, whyRefused},
}

const (
	whyMatch    = "3.2.2 takes the kernel in its own status lines for the version, and matches nothing; 3.4.3 does"
	whySecond   = "3.2.2 stumbles over a read-only variable of its own at the second kernel in a tarball, and loads only the first"
	whyBinaries = "3.2.2 makes source/ a folder of the tree, which its own status then does not list; ours makes the link that COMPAT 3 describes"
	whyRefused  = "a command that is refused changes nothing; 3.2.2 leaves the package added"
)
