#error "alerting/ is pure: no Asio here (docs/architecture.md)"
