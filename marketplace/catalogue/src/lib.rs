//! Published packages: verify, store by digest
