package pkgfmt

import (
	"errors"
	"strings"
	"testing"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

func TestDebName(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ in, want string }{
		{"v4l2loopback", "v4l2loopback"},
		{"v4l2_Loopback", "v4l2-loopback"},
		{"tp-smapi", "tp-smapi"},
		{"_Foo_", "foo"},
		{"a.b+c", "a.b+c"},
		{"-x-", "x"},
		{"NVIDIA", "nvidia"},
		{"", ""}, {"__", ""}, {"a b", ""}, {"a/b", ""}, {"é", ""}, {"a\nb", ""}, {"a%b", ""},
		{strings.Repeat("a", 129), ""},
	} {
		checkMapped(t, "DebName", tt.in, tt.want, DebName)
	}
}

func TestRPMName(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ in, want string }{
		{"v4l2_Loopback", "v4l2_Loopback"},
		{"_Foo", "_Foo"},
		{"-foo.", "foo"},
		{"a+b.c", "a+b.c"},
		{"", ""}, {"...", ""}, {"a..b", ""}, {"a b", ""}, {"%{x}", ""}, {"a(b)", ""},
		{strings.Repeat("a", 129), ""},
	} {
		checkMapped(t, "RPMName", tt.in, tt.want, RPMName)
	}
}

// checkMapped compares what mapping returns; an empty want is a refusal.
func checkMapped(t *testing.T, name, in, want string, mapping func(string) (string, error)) {
	t.Helper()
	got, err := mapping(in)
	if got != want || (err == nil) != (want != "") {
		t.Errorf("%s(%q) = %q, %v; want %q", name, in, got, err, want)
	}
	if err != nil {
		checkRefusal(t, err)
		return
	}
	if again, err := mapping(got); err != nil || again != got {
		t.Errorf("%s(%q) = %q, %v; want it as it is", name, got, again, err)
	}
}

// checkRefusal proves that a refusal names its object and says what helps.
func checkRefusal(t *testing.T, err error) {
	t.Helper()
	var e *dkms.Error
	if !errors.As(err, &e) || e.Kind != dkms.Usage || e.Object == "" || e.Problem == "" || e.Hint == "" {
		t.Errorf("the error is %#v; want a *dkms.Error of Kind Usage with object, problem and hint", err)
	}
	if len(err.Error()) > 300 {
		t.Errorf("an error of %d bytes", len(err.Error()))
	}
}

func TestVersionString(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		in   Version
		want string
	}{
		{Version{Upstream: "1.0"}, "1.0"},
		{Version{Upstream: "1.0", Revision: "1"}, "1.0-1"},
		{Version{Epoch: 2, Upstream: "1.0~rc1"}, "2:1.0~rc1"},
		{Version{Epoch: 2, Upstream: "1.0", Revision: "3.el9"}, "2:1.0-3.el9"},
	} {
		if got := tt.in.String(); got != tt.want {
			t.Errorf("%#v.String() = %q; want %q", tt.in, got, tt.want)
		}
	}
}
