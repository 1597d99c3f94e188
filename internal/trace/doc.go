// Package trace records when things began and ended, and writes it in the Trace
// Event Format, which chrome://tracing and ui.perfetto.dev draw: one lane for
// each thing that ran at the same time, and in it what it consisted of.
//
// It knows no word of DKMS. Nothing is written before the end, and a nil
// *Recorder records nothing, so that who is traced need not ask.
package trace
