module heartbeatd.example/heartbeat

go 1.19
