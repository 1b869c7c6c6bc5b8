"""Lay every face of a type on the type's common frame.

``align.align_faces`` finds the types of a collection and aligns its faces, ``align.align_to`` lays
later faces on frames that exist, ``pairs.propose`` one face on another, and
``warping.warp_to_frame`` draws an aligned face.
"""
