package machine

import (
	"bufio"
	"os"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

// osRelease are the places of os-release(5), in order.
var osRelease = []string{"/etc/os-release", "/usr/lib/os-release"}

// Distribution returns the word by which module directories are chosen:
// "ubuntu" by ID, else the first word of ID_LIKE, else ID.
func Distribution() (string, error) { return distributionOf(osRelease...) }

func distributionOf(paths ...string) (string, error) {
	for _, path := range paths {
		f, err := os.Open(path)
		if err != nil {
			continue
		}
		defer f.Close()
		values := map[string]string{}
		for lines := bufio.NewScanner(f); lines.Scan(); {
			name, value, ok := strings.Cut(strings.TrimSpace(lines.Text()), "=")
			if ok {
				values[name] = strings.Trim(value, `"'`)
			}
		}
		like := strings.Fields(values["ID_LIKE"])
		switch {
		case values["ID"] == "ubuntu", len(like) == 0:
			return values["ID"], nil
		default:
			return like[0], nil
		}
	}
	return "", &dkms.Error{Kind: dkms.ConfMissing, Object: paths[0], Problem: "is missing",
		Hint: "it tells where this distribution keeps added modules"}
}

// moduleDir is where a distribution wants added modules, below the kernel's
// directory; location is what dkms.conf asks for and counts elsewhere.
func moduleDir(distribution, location string) string {
	switch distribution {
	case "debian", "ubuntu", "arch":
		return "/updates/dkms"
	case "fedora", "rhel", "centos":
		return "/extra"
	case "suse", "opensuse", "sles", "sled":
		return "/updates"
	}
	return location
}
