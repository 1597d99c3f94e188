// Package report turns outcomes into what people and programs read: problems
// and hints, status lines and JSON, progress, the summary at the end of a run,
// and the exit status.
//
// It decides nothing and touches nothing but the writers that it is given.
package report
