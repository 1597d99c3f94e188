package aptbox

import (
	"regexp"
	"strings"

	"github.com/dkms-hook/dkms-hook/test/e2e/box"
)

// Words replaces "{NEW}", "{OLD}" and "{CLOUD}" by the kernels' releases.
func (m Machine) Words(args ...string) []string {
	r := strings.NewReplacer("{NEW}", m.Generic, "{OLD}", m.Old, "{CLOUD}", m.Cloud)
	out := make([]string, len(args))
	for i, a := range args {
		out[i] = r.Replace(a)
	}
	return out
}

// Apt runs apt-get, which must succeed, as every package manager's command
// that is not disturbed. The box has no network, so nothing is downloaded.
func (m Machine) Apt(args ...string) box.Result {
	m.TB.Helper()
	return m.Must(m.Words(append([]string{"apt-get", "-q", "-y"}, args...)...)...)
}

// Engine installs an engine.
func (m Machine) Engine(e Engine) {
	m.TB.Helper()
	m.Apt(append([]string{"install"}, e.Debs(m.TB, m)...)...)
}

// Settled fails the test unless every package is as somebody wanted it to be.
func (m Machine) Settled() {
	m.TB.Helper()
	if r := m.Must("dpkg", "--audit"); r.Stdout != "" {
		m.TB.Errorf("dpkg is not done:\n%s", r.Stdout)
	}
	if r := m.Run("apt-get", "-q", "check"); r.Status != 0 {
		m.TB.Errorf("apt is not content: %s", r)
	}
}

// Check asks the program whether all is there, and fails the test unless it
// ends with that status and says what matches all of the expressions.
func (m Machine) Check(status int, says ...string) {
	m.TB.Helper()
	m.CheckWith(nil, status, says...)
}

// CheckWith is check with further options.
func (m Machine) CheckWith(options []string, status int, says ...string) {
	m.TB.Helper()
	if SelfIsStock() {
		return
	}
	r := m.Run(append([]string{"dkms-hook", "check"}, options...)...)
	if r.Status != status {
		m.TB.Errorf("check: exit status %d; want %d\n%s", r.Status, status, r)
	}
	for _, expr := range says {
		if !regexp.MustCompile(expr).MatchString(r.Stdout + r.Stderr) {
			m.TB.Errorf("check does not say %q:\n%s", expr, r)
		}
	}
}
