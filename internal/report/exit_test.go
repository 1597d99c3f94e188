package report_test

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/report"
)

func TestExitStatus(t *testing.T) {
	t.Parallel()
	kind := func(k dkms.Kind) error { return &dkms.Error{Kind: k, Object: "it87/eol", Problem: "did not work"} }
	plain := errors.New("plain")
	for _, tt := range []struct {
		name string
		err  error
		want int
	}{
		{"nil", nil, 0},
		{"plain", plain, 1},
		{"of a kind", kind(dkms.MakeFailed), 10},
		{"wrapped", fmt.Errorf("a: %w", fmt.Errorf("b: %w", kind(dkms.HeadersMissing))), 21},
		{"the outer kind counts", &dkms.Error{Kind: dkms.AutoinstallFailed, Err: kind(dkms.MakeFailed)}, 11},
		{"the first counts", errors.Join(nil, kind(dkms.Excluded), kind(dkms.MakeFailed)), 77},
		{"the first counts, though it has no kind", errors.Join(plain, kind(dkms.MakeFailed)), 1},
		{"joined and wrapped", fmt.Errorf("a: %w", errors.Join(fmt.Errorf("b: %w", kind(dkms.Busy)), plain)), 75},
		{"two verbs", fmt.Errorf("%w, %w", kind(dkms.ConfInvalid), plain), 8},
		{"interrupted", context.Canceled, 130},
		{"interrupted, wrapped", fmt.Errorf("build: %w", context.Canceled), 130},
		{"interrupted with a kind", &dkms.Error{Kind: dkms.Busy, Err: context.Canceled}, 75},
		{"interrupted, with a hint", &dkms.Error{Kind: dkms.Interrupted, Err: context.Canceled}, 130},
		{"script", &dkms.Error{Kind: dkms.ScriptFailed, Status: 42}, 42},
		{"script without a status", &dkms.Error{Kind: dkms.ScriptFailed}, 1},
		{"script with an odd status", &dkms.Error{Kind: dkms.ScriptFailed, Status: 256}, 1},
		{"no such kind", kind(-1), 1},
	} {
		if got := report.ExitStatus(tt.err); got != tt.want {
			t.Errorf("%s: ExitStatus(%v) = %d; want %d", tt.name, tt.err, got, tt.want)
		}
	}
}

// The table that people read is the one that the program follows, for every
// kind that there is.
func TestExitStatusIsDocumented(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/exit-status.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]int{}
	for _, row := range regexp.MustCompile(`(?m)^\| (\d+|N) \| (\w+) \|`).FindAllStringSubmatch(string(page), -1) {
		status, err := strconv.Atoi(row[1])
		if row[1] == "N" {
			status, err = 42, nil
		}
		if _, twice := documented[row[2]]; twice || err != nil {
			t.Fatalf("docs/exit-status.md: %s: is there twice, or %v", row[2], err)
		}
		documented[row[2]] = status
	}
	actual := map[string]int{}
	for i, name := range kinds(t) {
		actual[name] = report.ExitStatus(&dkms.Error{Kind: dkms.Kind(i), Status: 42})
	}
	if diff := cmp.Diff(actual, documented); diff != "" {
		t.Errorf("docs/exit-status.md (-program +page):\n%s", diff)
	}
}

// kinds returns the names of dkms.Kind's constants, in order.
func kinds(t *testing.T) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../dkms/error.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	ast.Inspect(file, func(n ast.Node) bool {
		block, ok := n.(*ast.GenDecl)
		if !ok || block.Tok != token.CONST {
			return true
		}
		for _, spec := range block.Specs {
			for _, name := range spec.(*ast.ValueSpec).Names {
				names = append(names, name.Name)
			}
		}
		return false
	})
	if len(names) < 30 || names[0] != "Unknown" {
		t.Fatalf("kinds = %v; want the constants of dkms.Kind", names)
	}
	return names
}
