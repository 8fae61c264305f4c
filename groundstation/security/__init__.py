"""Who may connect to a station and who may command it: keys, authorization, and bounds on every socket."""
