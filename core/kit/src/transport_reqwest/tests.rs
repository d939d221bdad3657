//! With real sockets and real time.
