//! Texts to vectors
