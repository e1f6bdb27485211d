module heartbeatd.example/conformance

go 1.19

require heartbeatd.example/heartbeat v0.0.0

replace heartbeatd.example/heartbeat => ../../../../tools/client/go
