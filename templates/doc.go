// Package templates holds every text that is installed or generated, embedded
// in the program. It has no logic.
package templates
