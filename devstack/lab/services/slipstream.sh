# shellcheck shell=bash
start_slipstream() { :; }
