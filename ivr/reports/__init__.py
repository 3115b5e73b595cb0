"""Reports over days: calls by hour and reason, minutes by inmate, and what law has the agency pay."""
