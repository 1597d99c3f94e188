package kbuild

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/system"
)

// shim is a uname(1) that answers with the release that is built for, because
// many Makefiles ask uname and not the variables they are given. Everything
// else comes from the real program. The fields are printed in uname's own
// order, and -a leaves out what is unknown, as it does.
const shim = `#!/bin/sh
# uname for the time of a build: -r answers with the kernel that is built for.
release=@RELEASE@
real=@REAL@
want=
for arg; do
	case $arg in
	--kernel-release) want=${want}r ;;
	--all) want=${want}a ;;
	--kernel-name) want=${want}s ;;
	--nodename) want=${want}n ;;
	--kernel-version) want=${want}v ;;
	--machine) want=${want}m ;;
	--processor) want=${want}p ;;
	--hardware-platform) want=${want}i ;;
	--operating-system) want=${want}o ;;
	--*) exec "$real" "$@" ;;
	-?*)
		case ${arg#-} in
		*[!asnrvmpio]*) exec "$real" "$@" ;;
		esac
		want=$want${arg#-}
		;;
	*) exec "$real" "$@" ;;
	esac
done
case $want in
*[ar]*) ;;
*) exec "$real" "$@" ;;
esac
line=
for field in s n r v m p i o; do
	case $want in
	*a*) ;;
	*$field*) ;;
	*) continue ;;
	esac
	case $field in
	r) value=$release ;;
	*) value=$("$real" "-$field" 2>/dev/null) || value=unknown ;;
	esac
	case $want$field$value in
	*a*[pi]unknown) continue ;;
	esac
	line="$line${line:+ }$value"
done
printf '%s\n' "$line"
`

// writeShim makes the program uname in bin.
func writeShim(bin, release string) error {
	real, err := system.LookPath("uname", []string{"PATH=" + pathFrom(os.Environ())})
	if err != nil {
		real = "/bin/uname" // then builds that ask it find out by themselves
	}
	text := strings.NewReplacer("@RELEASE@", shellQuote(release), "@REAL@", shellQuote(real)).Replace(shim)
	path := filepath.Join(bin, "uname")
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		return err
	}
	return os.Chmod(path, 0o755) // whatever the umask
}

func shellQuote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
