package conf

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// benchConf is a middling dkms.conf: what most of them do, and no more.
const benchConf = `PACKAGE_NAME="sample"
PACKAGE_VERSION="1.0"
MAKE="make -C ${kernel_source_dir} M=${dkms_tree}/${PACKAGE_NAME}/${PACKAGE_VERSION}/build modules"
CLEAN="make -C ${kernel_source_dir} M=${dkms_tree}/${PACKAGE_NAME}/${PACKAGE_VERSION}/build clean"
BUILT_MODULE_NAME[0]="sample"
BUILT_MODULE_LOCATION[0]="src"
DEST_MODULE_LOCATION[0]="/kernel/drivers/misc"
BUILT_MODULE_NAME[1]="sample_core"
BUILT_MODULE_LOCATION[1]="src/core"
DEST_MODULE_LOCATION[1]="/kernel/drivers/misc"
if [ "${kernelver%%.*}" -ge 6 ]; then
	PATCH[0]="six.patch"
fi
BUILD_EXCLUSIVE_KERNEL="^[56]\."
AUTOINSTALL="yes"
`

// BenchmarkEvaluate compares one evaluation with starting bash for it.
func BenchmarkEvaluate(b *testing.B) {
	r := sampleRequest(b, benchConf)
	b.Run("ours", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := Load(context.Background(), r, sampleKernel); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("bash", func(b *testing.B) {
		bash, err := exec.LookPath("bash")
		if err != nil {
			b.Skip("bash is missing")
		}
		script := "kernelver=6.1.0-49-amd64 kernel_source_dir=/x dkms_tree=/y; f() { . \"$1\"; }; f \"$1\"; " +
			`for n in PACKAGE_NAME PACKAGE_VERSION MAKE CLEAN BUILT_MODULE_NAME; do declare -p $n; done`
		for b.Loop() {
			cmd := exec.Command(bash, "-c", script, "bash", r.File)
			cmd.Dir = filepath.Dir(r.File)
			cmd.Env = os.Environ()
			if out, err := cmd.CombinedOutput(); err != nil {
				b.Fatalf("%v: %s", err, out)
			}
		}
	})
}
