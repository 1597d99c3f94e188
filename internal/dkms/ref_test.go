package dkms_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

func TestRefString(t *testing.T) {
	t.Parallel()
	ref := dkms.Ref{Package: dkms.Package{Name: "it87", Version: "eol"}}
	if got, want := ref.String(), "it87/eol"; got != want {
		t.Errorf("String() = %q; want %q", got, want)
	}
	ref.KernelID = dkms.KernelID{Release: "6.1.0-56-amd64", Arch: "x86_64"}
	if got, want := ref.String(), "it87/eol/6.1.0-56-amd64/x86_64"; got != want {
		t.Errorf("String() = %q; want %q", got, want)
	}
}

func TestCheckWord(t *testing.T) {
	t.Parallel()
	for _, word := range []string{"it87", "6.1.0-56-amd64", "1.0~rc1+ds", "5.14.0-503.el9.x86_64", "a:b", "_x", "0"} {
		if err := dkms.CheckWord("module name", word); err != nil {
			t.Errorf("CheckWord(%q) = %v; want it accepted", word, err)
		}
	}
	for _, word := range []string{"", ".", "..", "a/b", "/", "../x", "a b", "a\tb", "a\nb", "a\x00b", "-x", ".hidden", "ä", "a*", "$x", "`x`", "a;b", "a'b"} {
		err := dkms.CheckWord("module name", word)
		var e *dkms.Error
		if !errors.As(err, &e) || e.Kind != dkms.Incomplete || !strings.HasPrefix(err.Error(), "module name") {
			t.Errorf("CheckWord(%q) = %v; want it refused, with the name of what it is", word, err)
		}
	}
}

func TestErrorReads(t *testing.T) {
	t.Parallel()
	cause := errors.New("no such file")
	for _, tt := range []struct {
		err  dkms.Error
		want string
	}{
		{dkms.Error{Object: "it87/eol", Problem: "is not in the tree", Hint: "look"}, "it87/eol: is not in the tree"},
		{dkms.Error{Object: "a.conf", Problem: "cannot be read", Err: cause}, "a.conf: cannot be read: no such file"},
		{dkms.Error{Problem: "alone"}, "alone"},
		{dkms.Error{Err: cause}, "no such file"},
	} {
		if got := tt.err.Error(); got != tt.want {
			t.Errorf("Error() = %q; want %q", got, tt.want)
		}
	}
	if !errors.Is(&dkms.Error{Err: cause}, cause) {
		t.Error("the cause is lost")
	}
}
