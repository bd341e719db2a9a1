// Asio and Beast compiled once, for every room that includes their headers.
#include <boost/asio/impl/src.hpp>
#include <boost/beast/src.hpp>
