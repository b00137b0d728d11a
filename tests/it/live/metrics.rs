//! Against real Prometheus, Alertmanager and exporters.
