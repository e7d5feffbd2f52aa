#error "alerting/ is pure: no SQLite here (docs/architecture.md)"
