"""The modules of Asterisk that are loaded, and those that never may be."""

# What a call needs, in both configurations. Each is `require`d: without one of them Asterisk does not start.
COMMON = (
    "app_dial",
    "app_mixmonitor",
    "app_playback",
    "app_read",
    "app_stack",
    "bridge_builtin_features",
    "bridge_builtin_interval_features",  # the limit of L(): a talk would have none without it
    "bridge_simple",
    "chan_pjsip",
    "codec_a_mu",
    "codec_alaw",
    "codec_resample",
    "codec_ulaw",
    "format_pcm",
    "format_sln",
    "format_wav",
    "func_channel",
    "func_db",
    "func_logic",
    "func_strings",
    "func_timeout",
    "pbx_config",
    "res_pjproject",
    "res_pjsip",
    "res_pjsip_acl",
    "res_pjsip_authenticator_digest",
    "res_pjsip_caller_id",
    "res_pjsip_dtmf_info",  # keys by SIP INFO
    "res_pjsip_endpoint_identifier_ip",
    "res_pjsip_endpoint_identifier_user",
    "res_pjsip_logger",
    "res_pjsip_nat",
    "res_pjsip_outbound_authenticator_digest",
    "res_pjsip_pubsub",  # chan_pjsip asks for it; no endpoint may subscribe
    "res_pjsip_registrar",
    "res_pjsip_rfc3326",
    "res_pjsip_sdp_rtp",
    "res_pjsip_session",
    "res_rtp_asterisk",
    "res_sorcery_astdb",
    "res_sorcery_config",
    "res_sorcery_memory",
    "res_timing_timerfd",
)
FACILITY = (
    *COMMON,
    "app_chanspy",  # announcements in a talk; the one step of ours that has it can't listen
    "app_exec",  # ExecIf, for func_periodic_hook
    "app_userevent",
    "app_verbose",  # a call's story on the console
    "cdr_manager",
    "func_callerid",
    "func_cdr",
    "func_cut",  # for func_periodic_hook
    "func_frame_drop",  # keeps keys from a called party that has not accepted
    "func_groupcount",  # for func_periodic_hook
    "func_hangupcause",
    "func_periodic_hook",  # announcements in a talk
    "func_uri",  # for func_periodic_hook
    "func_volume",  # as loud as an inmate wants it
    "res_agi",
    "res_clialiases",  # `ivr lockdown` on the console
    "res_pjsip_header_funcs",  # what an answer tells of forwarding
    "res_speech",  # res_agi has an undefined symbol without it
)
#: Asterisk's own records, for `ivr cdr audit`: calls go on without them. `res_cdrel_custom` is a part of the other two
#: since 22.6; before, there is none and they do without.
RECORDS = ("cdr_custom", "cel_custom", "func_cdr", "res_cdrel_custom")
NETWORK = (
    *COMMON,
    "app_playtones",
    "app_transfer",  # 302 and REFER
    "func_callerid",
    "res_pjsip_diversion",
    "res_pjsip_refer",
)

# A shell, files, other machines, other people's talks, or a way to a trunk beside the one Dial.
FORBIDDEN = frozenset(
    {
        *(
            "func_shell",
            "app_system",
            "func_curl",
            "res_curl",
            "func_env",
            "app_externalivr",
            "app_mp3",
            "app_festival",
        ),
        "func_speex",  # its noise filter and gain spoil the tones of text telephones
        *(
            "app_confbridge",
            "app_bridgewait",
            "app_bridgeaddchan",
            "app_page",
            "app_directed_pickup",
        ),
        *(
            "app_originate",
            "app_transfer",
            "app_blind_transfer",
            "app_attended_transfer",
            "app_followme",
            "app_disa",
        ),
        *("app_channelredirect", "app_queue", "app_voicemail", "res_clioriginate", "res_parking"),
        *(
            "pbx_spool",
            "pbx_lua",
            "pbx_realtime",
            "pbx_dundi",
            "pbx_loopback",
            "pbx_ael",
            "res_ari",
            "res_phoneprov",
        ),
        *(
            "res_pjsip_endpoint_identifier_anonymous",
            "res_pjsip_refer",
            "res_pjsip_messaging",
            "res_http_websocket",
        ),
        *("func_evalexten", "func_odbc", "func_realtime", "app_stasis", "res_prometheus", "res_snmp"),
    }
)
