package lint

import "context"

func isPackage(string) bool { return false }

func distributionPackage(context.Context, string) ([]Finding, error) { return nil, nil }
