//! Why a callback does not verify or open: the known causes, tried one by one.
