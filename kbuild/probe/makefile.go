package probe

import (
	"fmt"
	"strings"
)

// makefile is what make reads before the kernel's makefiles. In those it has
// try-run look for a variable whose name is the question; in all others it does
// nothing. MAKEFILE_LIST and the rule have it leave no trace for makefiles that
// ask which one is the first, or that can make any file.
const makefile = `# Answers of the compiler that are remembered. Any other question is asked as the
# kernel's own makefiles ask it.
ifneq (,$(sub_make_done)$(filter @KERNEL@,$(CURDIR)))
dkms-hook.path := @PATH@
dkms-hook.none :=
dkms-hook.space := $(dkms-hook.none) $(dkms-hook.none)
dkms-hook.tab := $(dkms-hook.none)	$(dkms-hook.none)
dkms-hook.hash := \#
define dkms-hook.line


endef
dkms-hook.quote = $(subst $(dkms-hook.line),%n,$(subst \,%b,$(subst $$,%d,$(subst $(dkms-hook.hash),%h,$(subst :,%c,$(subst =,%e,` +
	`$(subst $(dkms-hook.tab),%t,$(subst $(dkms-hook.space),%s,$(subst %,%p,$(1))))))))))
dkms-hook.question = @PREFIX@$(call dkms-hook.quote,$(1))%a$(call dkms-hook.quote,$(2))%a$(call dkms-hook.quote,$(3))
dkms-hook.ask = @DEFINITION@
dkms-hook.note = $(file >>@LOG@,$(1)%a$(call dkms-hook.quote,$(2))%z)$(2)
dkms-hook.answer = $(if $(filter undefined,$(origin $(1))),$(call dkms-hook.note,$(1),$(call dkms-hook.ask,$(2),$(3),$(4))),$($(1)))
dkms-hook.same = $(if $(PATH),$(if $(subst $(dkms-hook.path),,$(PATH))@GUARDED@,,y))
override try-run = $(if $(dkms-hook.same),$(call dkms-hook.answer,$(call dkms-hook.question,$(1),$(2),$(3)),$(1),$(2),$(3)),$(call dkms-hook.ask,$(1),$(2),$(3)))
@ANSWERS@endif
@SELF@: ;
MAKEFILE_LIST :=
`

// prefix begins the name of each variable that holds an answer.
const prefix = "dkms-hook~"

// plain is a path that means itself everywhere in a makefile, and in MAKEFILES.
var plain = lazily(`^/[\w./+@-]+$`)

// fill returns makefile for one build.
func fill(kernel, path, definition, log, self string, answers []answer) string {
	var lines, set strings.Builder
	for _, a := range answers {
		fmt.Fprintf(&lines, "%s%s := $(dkms-hook.none)%s$(dkms-hook.none)\n", prefix, a.Question, a.Answer)
	}
	for _, name := range guarded {
		set.WriteString("$(" + name + ")")
	}
	return strings.NewReplacer("@PREFIX@", prefix, "@KERNEL@", kernel, "@PATH@", path, "@DEFINITION@", definition, "@LOG@", log, "@SELF@", self,
		"@GUARDED@", set.String(), "@ANSWERS@", lines.String()).Replace(makefile)
}

// unquoter undoes dkms-hook.quote.
var unquoter = strings.NewReplacer("%n", "\n", "%b", `\`, "%d", "$", "%h", "#", "%c", ":", "%e", "=", "%t", "\t", "%s", " ", "%p", "%")

var quoter = strings.NewReplacer("\n", "%n", `\`, "%b", "$", "%d", "#", "%h", ":", "%c", "=", "%e", "\t", "%t", " ", "%s", "%", "%p")

func quote(s string) string   { return quoter.Replace(s) }
func unquote(s string) string { return unquoter.Replace(s) }
