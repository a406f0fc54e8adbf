"""What the systems behind the bundle promise, and which test or row of the report shows it.

P1 to P8 are what the Persona-Gestor system has when it works (Zhang et al., IEEE TVCG 2024), D1 to
D8 the DiffSpeaker system (Ma et al., 2024), Z1 to Z6 the talker with sampled head and lids (Zhu et
al., ICASSP 2023). A test is named ``file::function``, a row by its key.
"""
from __future__ import annotations

from dataclasses import dataclass

_NETWORKS = 'training/tests/test_networks.py'
_PROMISES = 'training/tests/test_network_promises.py'
_STREAM = 'test/test_stream.py'
_SCHEDULE = 'test/diffusion/test_schedule.py'
_GENERATE = 'training/tests/test_evaluation_generate.py'


@dataclass(frozen=True, slots=True)
class Proof:
    """One promise.

    Attributes:
        name: P1 to P8, D1 to D8, Z1 to Z6.
        promise: what works when it works.
        tests: ``file::function`` each.
        rows: keys of rows of the report.
    """

    name: str
    promise: str
    tests: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()


PROOFS: tuple[Proof, ...] = (
    Proof('P1', 'audio is the only input; no label of style, speaker or emotion',
          (f'{_GENERATE}::test_sound_is_all_that_goes_in',), ('style_amplitude',)),
    Proof('P2', 'local tokens, and one style token that far context changes',
          (f'{_PROMISES}::test_p2_far_sound_changes_the_persona_token_and_no_local_token',
           f'{_NETWORKS}::test_far_context_changes_the_persona_and_no_local_token')),
    Proof('P3', 'every frame is modulated by step and its own speech; blocks start as identity',
          (f'{_PROMISES}::test_p3_gates_at_zero_make_a_block_the_identity_whatever_its_condition',
           f'{_PROMISES}::test_p3_modulation_is_of_step_and_speech_frame_by_frame')),
    Proof('P4', 'two manners of one text give different motion, beyond the seed',
          (), ('style_amplitude', 'style_rate')),
    Proof('P5', 'in noise of 10 dB motion stays finite and nearest to its own',
          (f'{_STREAM}::test_hostile_audio_is_repaired_and_counted',),
          ('noise_body', 'noise_auc')),
    Proof('P6', 'no seam, however long the speech',
          (f'{_STREAM}::test_one_model_serves_every_hop',
           'test/measures/test_seams.py::test_a_jump_of_position_at_seams_shows'),
          ('seam_velocity_live', 'seam_acceleration_live', 'drift')),
    Proof('P7', 'other seeds give other motion that fits the speech; the same seed repeats',
          (f'{_STREAM}::test_seeds_repeat_and_differ',),
          ('diversity_live', 'matched_live', 'repeats')),
    Proof('P8', 'motion lags the sound by a constant',
          (f'{_PROMISES}::test_p8_an_impulse_moves_the_frames_around_its_own_time_at_every_lag',
           f'{_PROMISES}::test_p8_a_click_is_heard_in_the_frame_of_its_time'), ('constant_lag',)),
    Proof('D1', 'both attention biases are the formula, to the bit',
          (f'{_PROMISES}::test_d1_attention_uses_exactly_the_slow_bias',
           f'{_PROMISES}::test_d1_the_cross_attention_bias_equals_the_slow_formula')),
    Proof('D2', 'without self-attention, one frame of speech moves one frame of the face',
          (f'{_PROMISES}::test_d2_speech_of_a_frame_moves_that_frame_alone',)),
    Proof('D3', 'step and style reach every frame',
          (f'{_PROMISES}::test_d3_a_condition_token_reaches_every_frame',)),
    Proof('D4', 'clean frames are predicted; calls do not grow with the length of the speech',
          (f'{_SCHEDULE}::test_seed_frames_are_imposed_at_every_level_and_calls_are_counted',
           f'{_GENERATE}::test_calls_grow_with_windows_only')),
    Proof('D5', 'the face is 52 named weights in [0, 1]',
          ('test/motion/test_face.py::test_there_are_52_different_names',
           f'{_STREAM}::test_output_is_valid_and_as_long_as_the_audio_and_its_easing')),
    Proof('D6', 'minute two is no worse than the first 20 s',
          (), ('minute_two_reached', 'minute_two_auc')),
    Proof('D7', 'a style can be chosen; an unknown one is the mean, with a warning',
          (f'{_PROMISES}::test_d7_an_unknown_style_is_the_mean_with_a_warning',
           f'{_PROMISES}::test_d7_a_stream_wears_the_style_it_is_given')),
    Proof('D8', 'the mouth moves with speech and rests without',
          ('training/tests/test_export.py::test_the_guard_wants_motion_and_rest',),
          ('not_static',)),
    Proof('Z1', 'lips follow from the sound, the head from chance',
          (f'{_SCHEDULE}::test_steady_channels_keep_the_first_estimate',), ('lip_variance',)),
    Proof('Z2', 'head and lids differ by seed, repeat with it, and move smoothly within limits',
          (f'{_STREAM}::test_seeds_repeat_and_differ',
           'test/test_robot_output.py::test_hostile_poses_never_leave_the_limits'),
          ('lip_variance', 'repeats')),
    Proof('Z3', "blinks are as frequent and as long as people's, with both lids",
          ('test/measures/test_blinks.py::test_blinks_are_counted_and_timed',),
          ('blink_rate', 'blink_duration', 'blink_lids')),
    Proof('Z4', 'lips fit their own sound better than shifted or foreign sound',
          ('training/tests/test_sync.py::'
           'test_it_hears_what_belongs_together_in_speakers_it_never_saw',),
          ('sync_offset', 'sync_confidence')),
    Proof('Z5', 'other lips leave lids and brows as they are, and the other way round',
          (f'{_PROMISES}::test_z5_further_calls_change_lids_and_brows_and_no_lip',
           f'{_PROMISES}::test_z5_other_lips_leave_lids_and_brows_as_they_are')),
    Proof('Z6', 'few denoiser calls are enough',
          (f'{_SCHEDULE}::test_levels_fall_from_the_noisy_end',),
          ('offline_calls_2_rtf', 'closures_live')),
)
