//! Against real Elasticsearch and OpenSearch.
