package probe

import "strings"

// answer is what came out of one question.
type answer struct {
	// Question are the three arguments of try-run, quoted, joined by %a.
	Question string `json:"question"`
	// Answer is the output, as it stands in a makefile.
	Answer string `json:"answer"`
	// Tools is the identity of the programs that were asked.
	Tools string `json:"tools"`
	// Heard is how many builds have got it.
	Heard int `json:"heard"`
}

// believed is how many builds must have heard a "no", which a full disk or a
// killed compiler says as well.
const believed = 2

// parts returns what was run, and the words for its success and its failure.
func (a answer) parts() (command, yes, no string, ok bool) {
	words := strings.Split(a.Question, "%a")
	if len(words) != 3 {
		return "", "", "", false
	}
	command, yes, no = unquote(words[0]), unquote(words[1]), unquote(words[2])
	return command, yes, no, quote(command) == words[0] && quote(yes) == words[1] && quote(no) == words[2] && !strings.Contains(a.Question, "\r")
}

// programs returns whom the question asks. It is false for what cannot be
// remembered.
func (a answer) programs() ([]string, bool) {
	command, yes, no, ok := a.parts()
	if !ok || a.Answer != yes && a.Answer != no || strings.ContainsAny(a.Answer, "$#\\\n\r\x00") {
		return nil, false
	}
	return programs(command)
}

// certain reports whether a is to be used.
func (a answer) certain() bool {
	_, yes, _, _ := a.parts()
	return a.Answer == yes || a.Heard >= believed
}

// heard reads what a makefile noted down. Lines that are not whole are passed
// over: several makes may write at once.
func heard(log string) []answer {
	var out []answer
	seen := map[string]bool{}
	for line := range strings.Lines(log) {
		line, begins := strings.CutPrefix(strings.TrimSuffix(line, "\n"), prefix)
		line, ends := strings.CutSuffix(line, "%z")
		at := strings.LastIndex(line, "%a")
		if !begins || !ends || at < 0 || strings.Contains(line, prefix) || strings.Contains(line, "%z") {
			continue
		}
		a := answer{Question: line[:at], Answer: unquote(line[at+len("%a"):]), Heard: 1}
		if !seen[a.Question] {
			seen[a.Question] = true
			out = append(out, a)
		}
	}
	return out
}
