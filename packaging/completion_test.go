package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/hooks"
)

// A disk is a machine with two registered packages, two sources and two
// kernels, as options of a command line.
func disk(t *testing.T) []string {
	t.Helper()
	root := t.TempDir()
	for path, text := range map[string]string{
		"src/it87-eol/dkms.conf":               "# its name\nPACKAGE_NAME=\"it87\"\n",
		"src/v4l2-loopback-0.12-1/dkms.conf":   "PACKAGE_NAME=v4l2-loopback # with dashes\n",
		"src/linux-headers-6.1/Makefile":       "",
		"modules/6.1.0-1-amd64/modules.order":  "",
		"modules/6.12.3-cloud/kernel/file.txt": "",
	} {
		path = filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range []string{"it87/eol", "zfs/2.2.7"} {
		dir := filepath.Join(root, "tree", p)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink("/nowhere", filepath.Join(dir, "source")); err != nil {
			t.Fatal(err)
		}
	}
	return []string{"--dkmstree", root + "/tree", "--sourcetree", root + "/src", "--installtree", root + "/modules"}
}

// A completer answers with what a shell offers for the last word.
type completer func(t *testing.T, words []string) []string

var completers = map[string]completer{"bash": bash, "zsh": zsh, "fish": fish}

func TestCompletion(t *testing.T) {
	t.Parallel()
	options := disk(t)
	for _, tt := range []struct {
		name  string
		words []string
		want  string
	}{
		{"an action", []string{"dkms-hook", "re"}, "register remove report retire retry"},
		{"an action of DKMS", []string{"dkms", "re"}, "remove"},
		{"an option", []string{"dkms", "install", "--dk"}, "--dkmstree"},
		{"a registered package", slices.Concat([]string{"dkms-hook"}, options, []string{"remove", ""}), "it87/eol zfs/2.2.7"},
		{"a source", slices.Concat([]string{"dkms"}, options, []string{"install", "v4"}), "v4l2-loopback/0.12-1"},
		{"a package's name", slices.Concat([]string{"dkms"}, options, []string{"install", "-m", ""}), "it87/eol v4l2-loopback/0.12-1 zfs/2.2.7"},
		{"its version", slices.Concat([]string{"dkms"}, options, []string{"remove", "-m", "zfs", "-v", ""}), "2.2.7"},
		{"a kernel", slices.Concat([]string{"dkms-hook"}, options, []string{"build", "-k", ""}), "6.1.0-1-amd64 6.12.3-cloud"},
		{"another kernel", slices.Concat([]string{"dkms"}, options, []string{"match", "--templatekernel", "6.12"}), "6.12.3-cloud"},
	} {
		for shell, complete := range completers {
			t.Run(shell+"/"+tt.name, func(t *testing.T) {
				t.Parallel()
				lacks(t, shell)
				got := complete(t, tt.words)
				slices.Sort(got)
				if s := strings.Join(slices.Compact(got), " "); s != tt.want {
					t.Errorf("completion of %q = %s; want %s", tt.words, s, tt.want)
				}
			})
		}
	}
}

// TestCompletionActions: both names complete all the actions that they know.
func TestCompletionActions(t *testing.T) {
	t.Parallel()
	for shell, complete := range completers {
		for _, name := range []string{"dkms", "dkms-hook"} {
			t.Run(shell+"/"+name, func(t *testing.T) {
				t.Parallel()
				lacks(t, shell)
				var want []string
				for _, a := range hooks.Actions(name == "dkms") {
					if a.Name != "hook" { // nobody types that
						want = append(want, a.Name)
					}
				}
				got := complete(t, []string{name, ""})
				slices.Sort(want)
				slices.Sort(got)
				if diff := cmp.Diff(want, slices.Compact(got)); diff != "" {
					t.Errorf("actions of %s (-known +completed):\n%s", name, diff)
				}
			})
		}
	}
}

// TestCompletionEqualSign: bash takes --option=value for three words.
func TestCompletionEqualSign(t *testing.T) {
	t.Parallel()
	var words []string
	for i, o := range disk(t) {
		if i%2 == 1 {
			words = append(words, "=")
		}
		words = append(words, o)
	}
	for _, last := range [][]string{{"--kernelver", "="}, {"--kernelver", "=", ""}} {
		got := bash(t, slices.Concat([]string{"dkms"}, words, []string{"build"}, last))
		if s := strings.Join(got, " "); s != "6.1.0-1-amd64 6.12.3-cloud" {
			t.Errorf("completion of %q = %s; want both kernels", last, s)
		}
	}
}

// completionOf is the file that completes a program.
func completionOf(program, shell string) string {
	if program == "dkms" {
		program = "dkms-hook"
	}
	return "../templates/completion/" + program + "." + shell
}

func bash(t *testing.T, words []string) []string {
	t.Helper()
	const ask = `
. "$1"; shift
complete -p "$1" >/dev/null || exit 1
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
$(complete -p "$1" | sed 's/.*-F \([^ ]*\).*/\1/')
printf '%s\n' "${COMPREPLY[@]}"`
	return strings.Fields(output(t, append([]string{"bash", "-c", ask, "bash", completionOf(words[0], "bash")}, words...)...))
}

func fish(t *testing.T, words []string) []string {
	t.Helper()
	home := t.TempDir()
	cmd := exec.Command("fish", "--no-config", "-c", `source $argv[1]; complete -C "$argv[2]"`, completionOf(words[0], "fish"), strings.Join(words, " "))
	cmd.Env = append(os.Environ(), "HOME="+home, "XDG_DATA_HOME="+home)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || stderr.Len() > 0 {
		t.Fatalf("fish: %v\n%s", err, stderr.String())
	}
	var got []string
	for line := range strings.Lines(string(out)) {
		word, _, _ := strings.Cut(strings.TrimSpace(line), "\t")
		got = append(got, word)
	}
	return got
}

// zsh completes at a terminal only, so it gets one. What it finds is written
// down as it passes by compadd.
func zsh(t *testing.T, words []string) []string {
	t.Helper()
	dir := t.TempDir()
	text, err := os.ReadFile(completionOf(words[0], "zsh"))
	if err != nil {
		t.Fatal(err)
	}
	for name, body := range map[string]string{"_" + words[0]: string(text), "rc": zshSetUp, "ask": zshAsk} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(body), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("zsh", "-f", filepath.Join(dir, "ask"), dir, strings.Join(words, " "))
	cmd.Env = append(os.Environ(), "HOME="+dir, "TERM=dumb", "LC_ALL=C")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("zsh: %v\n%s", err, out)
	}
	found, err := os.ReadFile(filepath.Join(dir, "found"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(found))
}

const zshSetUp = `
PROMPT=
fpath=($box $fpath)
autoload -Uz compinit
compinit -u -D
zstyle ':completion:*' insert-tab false
: >$box/found
compadd() {
	if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then
		builtin compadd "$@"
		return
	fi
	local -a found
	builtin compadd -A found "$@"
	builtin compadd "$@"
	print -rl -- $found >>$box/found
}
done-completing() { zle complete-word; print -n >$box/done }
zle -N done-completing
bindkey '^I' done-completing
print -n >$box/ready
`

const zshAsk = `
zmodload zsh/zpty zsh/zselect
box=$1
wait_for() { # half a minute, on a busy machine
	for i in {1..1500}; do
		[[ -e $box/$1 ]] && return
		zpty -rt z junk '' 2>/dev/null
		zselect -t 2
	done
	print -u 2 "no $1"
	exit 1
}
zpty z zsh -f -i
zpty -w z "box=${(q)box}; . \$box/rc"
wait_for ready
zpty -n -w z "$2"$'\t'
wait_for done
zpty -d z
`
